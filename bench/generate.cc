// tailcap-bench-capture FILE EVENTS [http1|http2|grpc [RATE]]: writes a capture of any size like that of a busy nginx,
// for timing the analyser. RATE: requests a second; without it, as many as the worker manages.
//
// 64 keep-alive connections to one worker. A request is an arrival, a read with its head, a write with the response's
// head, and a sendfile with the body; for every fourth one the worker slept in epoll_wait before. http2: four streams
// at a time on each connection, an arrival and a read with each request, a write with each response; most header fields
// come from the table, :path and x-request-id are literals. grpc: likewise unary calls of a few methods, with messages
// and trailers. Prints {"events":…,"requests":…} as JSON.
#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <exception>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "formats/file/writer.h"

namespace {

using namespace tailcap::formats;

constexpr std::size_t kConnections = 64;
constexpr std::uint32_t kWorker = 4711;
constexpr std::int64_t kStartNs = 1'000'000'000'000;
// The writer drops blocks rather than wait for the disk, as a recorder must; a generator can wait.
constexpr std::uint64_t kBurst = 20'000;
constexpr auto kPause = std::chrono::milliseconds(15);

enum class Traffic { http1, http2, grpc };

struct Connection {
  SocketId socket = 0;
  std::uint32_t in = 0, out = 0;
  std::uint32_t stream = 0;  // the next one; 0: the connection's prefaces have not been sent yet
};

// The part of HTTP/2 that is needed here. The header tables contain the fields of the first request and response.
std::string frame(char type, char flags, std::uint32_t stream, const std::string& payload) {
  const auto n = payload.size();
  std::string out = {static_cast<char>(n >> 16), static_cast<char>(n >> 8), static_cast<char>(n), type, flags};
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(stream >> shift);
  return out + payload;
}

std::string text(const std::string& s) { return static_cast<char>(s.size()) + s; }
std::string field(char how, const std::string& name, const std::string& value) {
  return how + text(name) + text(value);
}

constexpr char kAdded = 0x40, kNotAdded = 0x00;
constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

class Generator {
 public:
  Generator(const std::string& path, std::uint64_t events, Traffic traffic, std::uint64_t rate)
      : writer_(path, preamble(), true), wanted_(events), traffic_(traffic), rate_(rate) {}

  void run() {
    describe();
    for (std::uint64_t i = 0; events_ < wanted_; ++i) {
      if (rate_ > 0)
        now_ = std::max(now_, kStartNs + static_cast<std::int64_t>(static_cast<double>(requests_) * 1e9 /
                                                                   static_cast<double>(rate_)));
      if (traffic_ == Traffic::http1)
        request(i);
      else
        streams(i);
    }
    const std::uint64_t lost = writer_.totals().lost;
    writer_.finish(time_from(now_));
    if (lost != 0)
      throw std::runtime_error("the writer dropped " + std::to_string(lost) +
                               " events: the disk is too slow for this pace");
    std::printf("{\"events\":%llu,\"requests\":%llu}\n", static_cast<unsigned long long>(events_),
                static_cast<unsigned long long>(requests_));
  }

 private:
  static Preamble preamble() {
    Preamble p;
    p.capture_id = "0000000000000000000000000000bec0";
    p.tool_version = "bench";
    p.host = "example";
    p.kernel = "6.18.0";
    p.architecture = "x86_64";
    p.cpus = 2;
    p.tier = HookTier::a;
    p.payload_limit = 256;
    p.started = time_from(kStartNs);
    p.started_realtime = 1'700'000'000'000'000'000;
    return p;
  }

  void push(const Body& body) {
    Event event;
    event.time = time_from(now_);
    event.thread = {kWorker, kWorker};
    event.body = body;
    writer_.push(event);
    if (++events_ % kBurst == 0) {
      writer_.tick(time_from(now_));
      std::this_thread::sleep_for(kPause);
    }
  }

  void describe() {
    writer_.begin_keyframe(time_from(now_));
    push(ClockSnapshot{1'700'000'000'000'000'000, now_, Duration{100}});
    push(TaskInfo{1, "nginx", "nginx: worker process", "/usr/sbin/nginx", "/"});
    for (std::size_t i = 0; i < kConnections; ++i) {
      Connection& c = connections_[i];
      c = {1000 + i, static_cast<std::uint32_t>(i * 65'537 + 1), static_cast<std::uint32_t>(i * 131'071 + 7), 0};
      SocketInfo info;
      info.socket = c.socket;
      info.family = Family::inet;
      info.type = SocketType::stream;
      info.origin = Origin::accepted;
      info.state = TcpState::established;
      info.local.bytes = {127, 0, 0, 1};
      info.local.port = 80;
      info.remote.bytes = {127, 0, 0, 1};
      info.remote.port = static_cast<std::uint16_t>(20'000 + i);
      info.next_in = c.in;
      info.next_out = c.out;
      push(info);
    }
    writer_.end_keyframe();
  }

  void request(std::uint64_t number) {
    Connection& c = connections_[number % kConnections];
    static constexpr std::array<const char*, 4> kPaths = {"/cart/", "/item/", "/search?q=", "/static/page"};
    char head[256];
    const int size = std::snprintf(head, sizeof head,
                                   "GET %s%llu HTTP/1.1\r\nHost: example\r\nx-request-id: r%llu\r\nAccept: */*\r\n\r\n",
                                   kPaths[number % kPaths.size()], static_cast<unsigned long long>(number % 9973),
                                   static_cast<unsigned long long>(number));
    const auto in = static_cast<std::uint32_t>(size);
    static constexpr std::string_view kAnswer =
        "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/html\r\n"
        "Content-Length: 256\r\nConnection: keep-alive\r\nETag: \"65920080-100\"\r\nAccept-Ranges: bytes\r\n\r\n";
    constexpr std::uint32_t kBody = 256;

    now_ += 3000 + static_cast<std::int64_t>(number * 2654435761u % 4096);
    push(Arrival{c.socket, c.in, in, 0});
    if (number % 4 == 0) sleep();
    now_ += 1000;
    push(io(c.socket, Direction::in, c.in, in, {head, in}, Payload::captured, 45));
    now_ += 4000 + (number % 1000 == 0 ? 500'000 : 0);
    push(io(c.socket, Direction::out, c.out, static_cast<std::uint32_t>(kAnswer.size()), kAnswer, Payload::captured,
            20));
    now_ += 1000;
    push(io(c.socket, Direction::out, c.out + static_cast<std::uint32_t>(kAnswer.size()), kBody, {}, Payload::no_buffer,
            40));
    c.in += in;
    c.out += static_cast<std::uint32_t>(kAnswer.size()) + kBody;
    ++requests_;
  }

  // Four streams at a time, answered in reverse order.
  void streams(std::uint64_t number) {
    Connection& c = connections_[number % kConnections];
    const bool first = c.stream == 0;
    if (first) c.stream = 1;
    for (std::uint32_t i = 0; i < 4; ++i) ask(c, c.stream + 2 * i, number * 4 + i, first && i == 0);
    for (std::uint32_t i = 4; i-- > 0;) answer(c, c.stream + 2 * i, first && i == 3);
    c.stream += 8;
    requests_ += 4;
  }

  void ask(Connection& c, std::uint32_t stream, std::uint64_t number, bool first) {
    const bool grpc = traffic_ == Traffic::grpc;
    std::string block = grpc ? "\x83\x86" : "\x82\x86";  // :method, :scheme
    static constexpr std::array<const char*, 4> kMethods = {"/shop.Cart/Get", "/shop.Cart/Add", "/shop.Item/List",
                                                            "/shop.Item/Get"};
    static constexpr std::array<const char*, 4> kPaths = {"/cart/", "/item/", "/search?q=", "/static/page"};
    const std::string path = grpc ? kMethods[number % 4] : kPaths[number % 4] + std::to_string(number % 9973);
    block += std::string(1, '\x04') + text(path);
    if (first) {
      block += field(kAdded, ":authority", "example") + field(kAdded, "user-agent", "bench/1");
      block += grpc ? field(kAdded, "content-type", "application/grpc") + field(kAdded, "te", "trailers")
                    : field(kAdded, "accept", "*/*") + field(kAdded, "x", "y");
    } else {
      block += "\xc1\xc0\xbf\xbe";
    }
    block += field(kNotAdded, "x-request-id", "r" + std::to_string(number));
    if (grpc) block += field(kNotAdded, "grpc-timeout", "1S");
    std::string bytes = first ? std::string(kPreface) + frame(4, 0, 0, {}) : std::string();
    if (stream % 256 == 1 && !first)
      bytes += frame(8, 0, 0, {'\0', '\0', static_cast<char>(0x80), '\0'});  // room for 32 kB
    bytes += frame(1, grpc ? 4 : 5, stream, block);
    if (grpc) bytes += frame(0, 1, stream, std::string("\0\0\0\0\x20", 5) + std::string(32, 'q'));
    const auto n = static_cast<std::uint32_t>(bytes.size());
    now_ += 3000 + static_cast<std::int64_t>(number * 2654435761u % 4096);
    push(Arrival{c.socket, c.in, n, 0});
    if (number % 4 == 0) sleep();
    now_ += 1000;
    push(io(c.socket, Direction::in, c.in, n, bytes, Payload::captured, 45));
    c.in += n;
  }

  void answer(Connection& c, std::uint32_t stream, bool first) {
    const bool grpc = traffic_ == Traffic::grpc;
    std::string block = "\x88";  // :status 200, then references to the tables
    if (grpc)
      block += first ? field(kAdded, "content-type", "application/grpc") : "\xbf";
    else
      block += first ? field(kAdded, "server", "nginx") + field(kAdded, "content-type", "text/html") : "\xbf\xbe";
    std::string bytes = first ? frame(4, 0, 0, {}) : std::string();
    bytes += frame(1, 4, stream, block);
    if (grpc) {
      bytes += frame(0, 0, stream, std::string("\0\0\0\0\x40", 5) + std::string(64, 'a'));
      bytes += frame(1, 5, stream, first ? field(kAdded, "grpc-status", "0") : "\xbe");
    } else {
      bytes += frame(0, 1, stream, std::string(256, 'b'));
    }
    const auto n = static_cast<std::uint32_t>(bytes.size());
    now_ += 4000;
    push(io(c.socket, Direction::out, c.out, n, bytes, Payload::captured, 20));
    c.out += n;
  }

  void sleep() {
    OffCpu off;
    off.left = time_from(now_ - 2000);
    off.runnable = time_from(now_ + 500);
    off.state = 1;
    off.syscall = 232;
    now_ += 1500;
    push(off);
  }

  static Io io(SocketId socket, Direction direction, std::uint32_t position, std::uint32_t length,
               std::string_view head, Payload payload, std::uint16_t syscall) {
    Io event;
    event.socket = socket;
    event.direction = direction;
    event.payload = payload;
    event.syscall = syscall;
    event.length = length;
    event.position = position;
    event.head = head;
    return event;
  }

  Writer writer_;
  std::uint64_t wanted_, events_ = 0, requests_ = 0;
  const Traffic traffic_;
  const std::uint64_t rate_;  // 0: any
  std::int64_t now_ = kStartNs;
  std::array<Connection, kConnections> connections_;
};

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t events = 0, rate = 0;
  const auto read = [](const char* text, std::uint64_t& number) {
    return std::from_chars(text, text + std::strlen(text), number).ec == std::errc{};
  };
  const std::string_view kind = argc >= 4 ? argv[3] : "http1";
  if (argc < 3 || argc > 5 || !read(argv[2], events) || (argc == 5 && !read(argv[4], rate)) ||
      (kind != "http1" && kind != "http2" && kind != "grpc")) {
    std::fputs("usage: tailcap-bench-capture FILE EVENTS [http1|http2|grpc [RATE]]\n", stderr);
    return 2;
  }
  try {
    Generator(argv[1], events,
              kind == "http2"  ? Traffic::http2
              : kind == "grpc" ? Traffic::grpc
                               : Traffic::http1,
              rate)
        .run();
    return 0;
  } catch (const std::exception& e) {
    std::fprintf(stderr, "tailcap-bench-capture: %s\n", e.what());
    return 1;
  }
}
