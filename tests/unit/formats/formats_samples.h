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

// One event of every kind with the largest (or smallest) values of its fields, and one with the defaults.
inline std::vector<Event> extreme_events() {
  constexpr auto u16 = std::numeric_limits<std::uint16_t>::max();
  constexpr auto u32 = std::numeric_limits<std::uint32_t>::max();
  constexpr auto u64 = std::numeric_limits<std::uint64_t>::max();
  constexpr auto i32 = std::numeric_limits<std::int32_t>::min();
  constexpr auto top = std::int64_t{1} << 62;
  static const std::string long_name(70'000, 'x');
  static const std::string binary("\0\xff\0", 3);
  Address address;
  address.bytes.fill(0xff);
  address.port = u16;
  const Thread thread{u32, u32 - 1};
  std::vector<Body> bodies = {
      Io{u64, Direction::out, Payload::fault, true, u16, u16, i32, u32, u64, long_name, binary, true},
      Io{u64, Direction::in, Payload::captured, true, u16, u16, i32, u32, u64 - 1, binary, long_name, true},
      Arrival{u64, u32, u32, u16},
      Retransmit{u64, u32, u32},
      Reset{u64, Direction::out},
      StateChange{u64, TcpState::new_syn_recv, TcpState::listen, true, i32},
      Accept{u64, i32},
      SocketInfo{u64, Family::inet6, SocketType::seqpacket, Origin::existed, TcpState::closing, address, address, u32,
                 u32, u64, u64, u32, long_name},
      OffCpu{kMaxTime, time_from(1), u32, u32, std::numeric_limits<std::int16_t>::min(), u16, u64, u64, true, u64,
             FileKind::other},
      TaskStart{{u32, u32}, long_name},
      TaskExec{binary, long_name},
      TaskExit{i32},
      TaskInfo{u32, binary, long_name, binary, "c", kMaxTime},
      Mapping{u64, u64, u64, long_name, binary},
      ClockSnapshot{-top, top, Duration{top}},
      Loss{kMaxTime, LossCause::task_table_full, 255, 7},
      RecorderCost{Duration{top}, u64},
      ProgramCost{long_name, u64, Duration{top}},
      TlsIo{u64, Direction::out, Payload::fault, true, 65535, u32, u64, time_from(1), binary, long_name},
      TlsIo{7, Direction::in, Payload::captured, false, 0, 12, 0, time_from(1), "GET / HTTP/1", ""},
      TlsStep{u64, TlsLibrary::go, TlsStepKind::freed, i32},
      Probe{long_name, binary, "js +0x16", u64, u32, long_name},
      GoCreate{u64, long_name, binary},
      GoRuntime{GoPhase::assist, long_name},
      GoState{u64, GoRunState::running, binary},
      GoHandler{u64, long_name, true},
      GoProgram{long_name, binary, "DWARF", long_name, u16, 255, u16},
      Stall{StallKind::fragmented, time_from(1), u64, u32},
      CpuQuota{long_name, Duration{top}, Duration{top}, u64, u64, Duration{top}},
      GoCall{u64, GoCallStep::writes, u32},
      GoChannel{u64, u64 - 1, u64 - 2, GoChannelStep::exchanged},
      Sample{long_name, binary, SampleKind::allocation, u32, u64},
      GoAllocations{u64, u64 - 1, u64 - 2},
      FileCall{FileAct::sync, time_from(1), -top, i32, long_name},
      Note{long_name, binary},
      NetInterface{u32, u32 - 1, long_name, Family::inet6, {address.bytes, 0}, 255},
      Masking{u64, u64 - 1, u64 - 2, u64 - 3},
      GoExit{u64},
      GoPanic{GoPanicStep::thrown, long_name},
      OomKill{},
      GoBuild{long_name, binary},
      Io{},
      Io{.direction = Direction::in},
      Arrival{},
      Retransmit{},
      Reset{},
      StateChange{},
      Accept{},
      SocketInfo{},
      OffCpu{},
      TaskStart{},
      TaskExec{},
      TaskExit{},
      TaskInfo{},
      Mapping{},
      ClockSnapshot{},
      Loss{},
      RecorderCost{},
      ProgramCost{},
      TlsIo{},
      TlsIo{.direction = Direction::in},
      TlsStep{},
      Probe{},
      GoCreate{},
      GoRuntime{},
      GoState{},
      GoHandler{},
      GoProgram{},
      Stall{},
      CpuQuota{},
      GoCall{},
      GoChannel{},
      Sample{},
      GoAllocations{},
      FileCall{},
      Note{},
      NetInterface{},
      Masking{},
      GoExit{},
      GoPanic{},
      GoBuild{},
  };
  std::vector<Event> events;
  for (const Body& body : bodies) {
    events.push_back({kMaxTime, thread, body, u64});
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
    std::visit([this](auto& body) { keep(body); }, event_.body);
  }
  const Event& operator*() const { return event_; }

 private:
  void own(std::string_view& view) {
    owned_.push_back(std::make_unique<std::string>(view));
    view = *owned_.back();
  }
  template <class T>
  void keep(T&) {}
  void keep(Io& b) {
    own(b.head);
    own(b.tail);
  }
  void keep(SocketInfo& b) { own(b.path); }
  void keep(TaskStart& b) { own(b.comm); }
  void keep(TaskExec& b) {
    own(b.comm);
    own(b.filename);
  }
  void keep(TaskInfo& b) {
    own(b.comm);
    own(b.command_line);
    own(b.executable);
    own(b.cgroup);
  }
  void keep(Mapping& b) {
    own(b.path);
    own(b.build_id);
  }
  void keep(ProgramCost& b) { own(b.program); }
  void keep(TlsIo& b) {
    own(b.head);
    own(b.tail);
  }
  void keep(GoCreate& b) {
    own(b.function);
    own(b.from);
  }
  void keep(GoPanic& b) { own(b.stack); }
  void keep(GoBuild& b) {
    own(b.path);
    own(b.lines);
  }
  void keep(GoRuntime& b) { own(b.reason); }
  void keep(GoState& b) { own(b.reason); }
  void keep(GoHandler& b) { own(b.name); }
  void keep(GoProgram& b) {
    own(b.path);
    own(b.version);
    own(b.offsets_from);
    own(b.unsupported);
  }
  void keep(CpuQuota& b) { own(b.cgroup); }
  void keep(Sample& b) {
    own(b.user);
    own(b.kernel);
  }
  void keep(FileCall& b) { own(b.path); }
  void keep(Note& b) {
    own(b.key);
    own(b.value);
  }
  void keep(NetInterface& b) { own(b.name); }
  void keep(Probe& b) {
    own(b.path);
    own(b.function);
    own(b.place);
    own(b.reason);
  }

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
