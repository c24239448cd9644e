#include "tests/synth/load.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <queue>
#include <random>
#include <vector>

#include "tests/synth/scenario.h"

namespace tailcap::synth {

using formats::Duration;
using formats::Event;
using formats::Time;

namespace {

constexpr std::uint32_t kPid = 4000;

// The steps of a connection for one request, in order; an event is made when its time comes.
enum class Act : std::uint8_t { open, arrive, take, wait, answer, body, close };

struct Wire {
  std::uint32_t in = 1000, out = 2000;
  Time free_at = kStart;
  std::string request, head;  // of the current request
  Truth truth;
  formats::Thread thread;
};

struct Due {
  Time at;
  std::uint64_t order;
  std::uint32_t wire;
  Act act;
  bool operator>(const Due& d) const { return at != d.at ? at > d.at : order > d.order; }
};

}  // namespace

struct Load::Impl {
  explicit Impl(const LoadOptions& o) : options(o), random(o.seed), wires(std::max(1u, o.connections)) {
    assert(o.routes > 0 && o.threads > 0);
    for (std::uint32_t i = 0; i < wires.size(); ++i) schedule(kStart, i, Act::open);
    draw_next();
  }

  void schedule(Time at, std::uint32_t wire, Act act) { due.push({at, orders++, wire, act}); }
  // The standard library's distributions differ between implementations; these do not.
  double uniform() { return static_cast<double>(random() >> 11) * 0x1p-53; }
  Duration exponential(Duration mean) {
    return Duration{1 + static_cast<std::int64_t>(-std::log(1.0 - uniform()) * static_cast<double>(mean.count()))};
  }

  void draw_next();
  void begin_request();
  const Event* make(const Due& d);
  void describe(Wire& w, std::uint32_t i);
  void io(Wire& w, bool in, std::string_view head, std::uint32_t length);

  LoadOptions options;
  std::mt19937_64 random;
  std::vector<Wire> wires;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due;
  std::uint64_t orders = 0, begun = 0, done = 0;
  Time arrival = kStart + std::chrono::milliseconds{1}, next_at = kStart;
  Event event;
  Truth finished;
  bool has_finished = false, ended = false;
};

Load::Load(const LoadOptions& options) : impl_(std::make_unique<Impl>(options)) {}
Load::~Load() = default;

// Draws the time of the next request: not before its connection is free.
void Load::Impl::draw_next() {
  arrival += exponential(options.interval);
  next_at = std::max(arrival, wires[begun % wires.size()].free_at + std::chrono::microseconds{1});
}

void Load::Impl::begin_request() {
  const auto i = static_cast<std::uint32_t>(begun % wires.size());
  Wire& w = wires[i];
  const Time at = arrival = next_at;
  ++begun;
  Truth& t = w.truth;
  t.connection = i;
  t.route = static_cast<std::uint32_t>(random() % options.routes);
  t.method = t.route % 3 == 2 ? "POST" : "GET";
  t.path = "/route" + std::to_string(t.route) + "/" + std::to_string(random() % 100000);
  t.status = uniform() < options.error_share ? 500 : 200;
  t.request_bytes = t.method == "POST" ? random() % 200 : 0;
  t.response_bytes = 1 + random() % 2000;
  w.request = t.method + " " + t.path + " HTTP/1.1\r\nHost: example\r\nUser-Agent: load\r\n";
  if (t.method == "POST") w.request += "Content-Length: " + std::to_string(t.request_bytes) + "\r\n";
  w.request.append("\r\n").append(t.request_bytes, 'u');
  w.head = "HTTP/1.1 " + std::to_string(t.status) +
           " X\r\nServer: load\r\nContent-Length: " + std::to_string(t.response_bytes) + "\r\n\r\n";
  w.thread = {kPid, kPid + static_cast<std::uint32_t>(random() % options.threads)};
  const Duration service = exponential(options.service) * (t.route + 1);
  const Time taken = at + std::chrono::microseconds{5} + exponential(std::chrono::microseconds{20});
  t.start = options.client ? taken : at;
  t.first_byte = taken + service;
  t.end = t.first_byte + std::chrono::microseconds{10};
  w.free_at = t.end;
  if (!options.client) schedule(at, i, Act::arrive);
  schedule(taken, i, Act::take);
  if (random() % 4 == 0) schedule(t.first_byte - std::chrono::nanoseconds{1}, i, Act::wait);
  schedule(t.first_byte, i, Act::answer);
  schedule(t.end, i, Act::body);
  draw_next();
}

void Load::Impl::describe(Wire& w, std::uint32_t i) {
  formats::SocketInfo info;
  info.socket = i + 1;
  info.family = formats::Family::inet;
  info.type = formats::SocketType::stream;
  info.origin = options.client ? formats::Origin::connected : formats::Origin::accepted;
  info.state = formats::TcpState::established;
  info.local = address("10.0.0.1:80", info.family);
  info.remote = address("10.0.0.2:80", info.family);
  (options.client ? info.local : info.remote).port = static_cast<std::uint16_t>(1024 + i % 60000);
  info.next_in = w.in;
  info.next_out = w.out;
  info.net_namespace = 4026531840;
  event.body = info;
}

void Load::Impl::io(Wire& w, bool in, std::string_view head, std::uint32_t length) {
  formats::Io io;
  io.socket = static_cast<formats::SocketId>(&w - wires.data()) + 1;
  io.direction = in ? formats::Direction::in : formats::Direction::out;
  io.payload = head.empty() ? formats::Payload::no_buffer : formats::Payload::captured;
  io.syscall = in ? 0 : head.empty() ? 40 : 1;
  io.length = length;
  io.position = in ? w.in : w.out;
  io.head = head;
  (in ? w.in : w.out) += length;
  event.thread = w.thread;
  event.body = io;
}

const Event* Load::Impl::make(const Due& d) {
  Wire& w = wires[d.wire];
  event = {};
  event.time = d.at;
  const auto length = static_cast<std::uint32_t>(w.request.size());
  // The server reads what the client sends, and the reverse.
  const bool asks_in = !options.client;
  switch (d.act) {
    case Act::open:
      describe(w, d.wire);
      break;
    case Act::arrive:
      event.body = formats::Arrival{d.wire + 1u, w.in, length, 0};
      break;
    case Act::take:
      io(w, asks_in, w.request, length);
      break;
    case Act::wait: {
      formats::OffCpu off;
      off.left = d.at - std::chrono::microseconds{50};
      off.runnable = d.at - std::chrono::microseconds{2};
      off.state = 1;
      off.syscall = 202;
      event.thread = w.thread;
      event.body = off;
      break;
    }
    case Act::answer:
      io(w, !asks_in, w.head, static_cast<std::uint32_t>(w.head.size()));
      break;
    case Act::body:
      io(w, !asks_in, {}, static_cast<std::uint32_t>(w.truth.response_bytes));
      finished = w.truth;
      finished.number = done++;
      has_finished = true;
      break;
    case Act::close:
      event.body =
          formats::StateChange{d.wire + 1u, formats::TcpState::established, formats::TcpState::close, false, 0};
      break;
  }
  return &event;
}

const Event* Load::next() {
  Impl& i = *impl_;
  i.has_finished = false;
  while (i.begun < i.options.requests && (i.due.empty() || i.next_at <= i.due.top().at)) i.begin_request();
  if (i.due.empty()) {
    if (i.ended) return nullptr;
    i.ended = true;
    for (std::uint32_t w = 0; w < i.wires.size(); ++w) i.schedule(i.arrival + std::chrono::hours{1}, w, Act::close);
  }
  const Due d = i.due.top();
  i.due.pop();
  return i.make(d);
}

const Truth* Load::completed() const { return impl_->has_finished ? &impl_->finished : nullptr; }

}  // namespace tailcap::synth
