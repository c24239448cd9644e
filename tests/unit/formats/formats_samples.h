// Events and captures for the tests of formats/: every kind, with typical and extreme values.
#pragma once

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "formats/fields/tables.h"
#include "formats/file/reader.h"
#include "formats/file/writer.h"

namespace tailcap::formats::test {

// A folder that its owner removes.
class Folder {
 public:
  Folder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "tailcap-formats-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) std::abort();
    path_ = pattern;
  }
  ~Folder() {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

inline Preamble sample_preamble() {
  Preamble p;
  p.capture_id = "0123456789abcdef0123456789abcdef";
  p.tool_version = "0.1.0";
  p.command_line = {"tailcap", "record", "-p", "17"};
  p.host = "web-3";
  p.kernel = "6.18.5";
  p.architecture = "x86_64";
  p.boot_id = "11111111-2222-3333-4444-555555555555";
  p.cpus = 2;
  p.tier = HookTier::a;
  p.tier_reason = "kernel has sock_send_length";
  p.payload_limit = 256;
  p.ring_bytes = 8u << 20;
  p.targets = {"pid 17"};
  p.programs = {"send", "receive"};
  p.notes = {{"ticket", "42"}, {"empty", ""}};
  p.started = time_from(1'000'000'000);
  p.started_realtime = 1'700'000'000'000'000'000;
  return p;
}

// The largest value of each field, or of signed ones the smallest.
struct Largest {
  template <class T>
  void operator()(const auto&, T& value) {
    static const std::string texts[] = {std::string(70'000, 'x'), std::string("\0\xff\0", 3)};
    if constexpr (std::is_same_v<T, std::string_view>)
      value = texts[n_++ % 2];
    else if constexpr (std::is_same_v<T, Address>)
      value.bytes.fill(0xff);
    else if constexpr (std::is_same_v<T, Time>)
      value = n_++ % 2 ? time_from(1) : kMaxTime;
    else if constexpr (std::is_same_v<T, Duration>)
      value = kMaxTime - kNoTime;
    else if constexpr (std::is_same_v<T, std::int64_t>)
      value = -nanoseconds(kMaxTime);
    else if constexpr (std::is_enum_v<T>)
      value = static_cast<T>(kNames<T>.size() - 1);
    else
      value = std::is_signed_v<T> ? std::numeric_limits<T>::min() : std::numeric_limits<T>::max();
  }

 private:
  std::size_t n_ = 0;
};

// Events of every kind with the largest values of their fields, and with the defaults.
inline std::vector<Event> extreme_events() {
  constexpr auto u32 = std::numeric_limits<std::uint32_t>::max();
  constexpr auto u64 = std::numeric_limits<std::uint64_t>::max();
  std::vector<Body> bodies;
  each_body([&]<class B>() {
    if (!is_stored(Table<B>::kinds[0].kind)) return;
    B largest;
    each_field(largest, Largest());
    if constexpr (std::is_same_v<B, ClockSnapshot>) largest.boottime = nanoseconds(kMaxTime);  // never negative
    bodies.insert(bodies.end(), {largest, B{}});
    if constexpr (kTwoKinds<B>) {
      largest.direction = Direction::in;
      --largest.position;
      bodies.insert(bodies.end(), {largest, B{.direction = Direction::in}});
    }
  });
  std::vector<Event> events;
  for (const Body& body : bodies) {
    events.push_back({kMaxTime, {u32, u32 - 1}, body, u64});
    events.push_back({kNoTime, {}, body});
    events.push_back({time_from(5'000'000'000), {1, 2}, body, events.size()});
  }
  return events;
}

// Requests like those of a web server under load: arrival, receive, two sends, sometimes an off-CPU interval.
inline Event request_event(std::uint64_t i, std::string_view request, std::string_view response) {
  const std::uint64_t n = i / 4;
  const SocketId socket = 100 + n * 7 % 64;
  const auto turn = static_cast<std::uint32_t>(n / 64);
  const Time time = time_from(2'000'000'000 + static_cast<std::int64_t>(i) * 2000 +
                              static_cast<std::int64_t>(i * 2654435761u % 1500));
  const Thread worker{17, 17};
  const auto size = static_cast<std::uint32_t>(request.size());
  switch (i % 4) {
    case 0:
      return {time, {}, Arrival{socket, 1000 + turn * size, size, 0}};
    case 1:
      return {time, worker,
              Io{socket, Direction::in, Payload::captured, false, 45, 0, 0, size, 1000 + turn * size, request, {}}};
    case 2:
      return {time, worker,
              Io{socket, Direction::out, Payload::captured, false, 20, 0, 0, 238, 5000 + turn * 494, response, {}}};
    default:
      return {time, worker,
              Io{socket, Direction::out, Payload::no_buffer, false, 40, 0, 0, 256, 5000 + turn * 494 + 238, {}, {}}};
  }
}

inline constexpr std::string_view kRequest =
    "GET /index.html HTTP/1.1\r\nHost: localhost:8080\r\nUser-Agent: load/1.0\r\nAccept: */*\r\n\r\n";
inline constexpr std::string_view kResponse =
    "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Fri, 20 Nov 2026 08:00:00 GMT\r\nContent-Type: "
    "text/html\r\nContent-Length: 256\r\n"
    "Connection: keep-alive\r\nETag: \"65a1b2c3-100\"\r\nAccept-Ranges: bytes\r\n\r\n";

// An event that owns the memory of its views.
class KeptEvent {
 public:
  explicit KeptEvent(const Event& event) : event_(event) {
    const auto own = [this]<class T>(const auto&, T& value) {
      if constexpr (std::is_same_v<T, std::string_view>)
        value = *owned_.emplace_back(std::make_unique<std::string>(value));
    };
    std::visit([&](auto& body) { each_field(body, own); }, event_.body);
  }
  const Event& operator*() const { return event_; }

 private:
  Event event_;
  std::vector<std::unique_ptr<std::string>> owned_;
};

inline std::vector<KeptEvent> read_all(const std::string& path, unsigned threads = 1) {
  Reader reader(path, {threads});
  std::vector<KeptEvent> events;
  for (auto span = reader.next(); !span.empty(); span = reader.next()) {
    for (const Event& event : span) events.emplace_back(event);
  }
  return events;
}

inline std::string slurp(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

inline void spill(const std::string& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

}  // namespace tailcap::formats::test
