// The events attached to spans, kind by kind, and how requests of each protocol are described.
#include <gtest/gtest.h>

#include "analyze/spans/describe.h"
#include "tests/unit/protocols/tls_wire.h"
#include "tests/unit/spans/spans_case.h"

namespace tailcap::spans::spans_events_test {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using formats::Direction;
using formats::TcpState;
using synth::Duration;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;
using synth::Thread;
using wire::be;

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr Thread kA{100, 101};

std::string get(const std::string& target) { return "GET " + target + " HTTP/1.1\r\nHost: h\r\n\r\n"; }

std::string labels(std::string_view name) {
  std::string out;
  while (!name.empty()) {
    const auto dot = std::min(name.find('.'), name.size());
    out += wire::sized(name.substr(0, dot), 1);
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  return out + '\0';
}

class Resolver {
 public:
  Resolver(Scenario& s, formats::SocketId socket) : s_(s), socket_(socket) {
    formats::SocketInfo info;
    info.socket = socket;
    info.family = formats::Family::inet;
    info.type = formats::SocketType::datagram;
    info.remote.bytes = {127, 0, 0, 53};
    info.remote.port = 53;
    s.add(0ms, {}, info);
  }
  void look_up(Duration from, Duration to, Thread who, std::string_view name, const std::string& address) {
    const std::string id = be(++id_, 2), question = labels(name) + be(1, 2) + be(1, 2);
    move(from, who, Direction::out, id + be(0x0100, 2) + be(1, 2) + be(0, 6) + question);
    move(to, who, Direction::in,
         id + be(0x8180, 2) + be(1, 2) + be(1, 2) + be(0, 4) + question + "\xc0\x0c"s + be(1, 2) + be(1, 2) +
             be(60, 4) + wire::sized(address, 2));
  }

 private:
  void move(Duration at, Thread who, Direction direction, const std::string& bytes) {
    formats::Io io;
    io.socket = socket_;
    io.direction = direction;
    io.payload = formats::Payload::captured;
    io.head = s_.own(bytes);
    io.length = static_cast<std::uint32_t>(bytes.size());
    s_.add(at, who, io);
  }
  Scenario& s_;
  formats::SocketId socket_;
  std::uint16_t id_ = 0;
};

// A service looks up a name and connects to it for its call, and looks up another that it never connects to.
TEST(SpansEvents, LookupsBelongToTheCallOrToWhoAsked) {
  Scenario s;
  s.clock(0ms, 1'700'000'000'000'000'000);
  Resolver resolver(s, 900);
  Opening o;
  o.thread = kA;
  o.remote = "10.0.0.2:40000";
  Endpoint& in = s.open(0ms, o);
  in.receive(1ms, 1ms, get("/in"));
  resolver.look_up(2ms, 3ms, kA, "stock.test", "\x0a\0\0\x03"s);
  const formats::SocketId socket = s.next_socket() + 1;
  s.add(4ms, kA, formats::StateChange{socket, TcpState::close, TcpState::syn_sent, true, 0});
  formats::SocketInfo connecting;
  connecting.socket = socket;
  connecting.family = formats::Family::inet;
  connecting.type = formats::SocketType::stream;
  connecting.origin = formats::Origin::connected;
  connecting.state = TcpState::syn_sent;
  connecting.remote = synth::address("10.0.0.3:80", formats::Family::inet);
  s.add(4ms, kA, connecting);
  s.add(5ms, {}, formats::StateChange{socket, TcpState::syn_sent, TcpState::established, false, 0});
  Opening c;
  c.thread = kA;
  c.local = "10.0.0.1:50000";
  c.remote = "10.0.0.3:80";
  c.origin = formats::Origin::connected;
  Endpoint& out = s.open(5ms, c);
  ASSERT_EQ(out.socket(), socket);
  out.send(6ms, get("/out"));
  out.receive(8ms, 8ms, kOk);
  resolver.look_up(9ms, 10ms, kA, "other.test", "\x0a\0\0\x04"s);
  in.send(11ms, kOk);
  resolver.look_up(12ms, 13ms, kA, "late.test", "\x0a\0\0\x05"s);
  const auto spans = spans_of_events(s.with_end());
  EXPECT_EQ(spans->tally("dns.lookup").attached, 2u);
  EXPECT_EQ(spans->tally("dns.lookup").unmatched, 1u);
  const model::Span *dns = spans->named("DNS stock.test"), *call = spans->named("GET /out"),
                    *served = spans->named("GET /in");
  ASSERT_TRUE(dns && call && served);
  EXPECT_EQ(dns->parent, call->context.span);
  EXPECT_EQ(dns->end - dns->start, 1'000'000);
  EXPECT_EQ(text(dns->attributes, "dns.question.name"), "stock.test");
  ASSERT_EQ(served->events.size(), 1u);
  EXPECT_EQ(served->events[0].name, "dns.lookup");
  EXPECT_EQ(text(served->events[0].attributes, "dns.question.name"), "other.test");
}

// Goroutines change threads: later events of the thread belong to another goroutine.
TEST(SpansEvents, InGoByTheGoroutine) {
  Scenario s;
  s.clock(0ms, 1'700'000'000'000'000'000);
  Opening o;
  o.thread = kA;
  Endpoint& in = s.open(0ms, o);
  in.of(7).receive(1ms, 1ms, get("/in"));
  formats::Stall fault;
  fault.what = formats::StallKind::major_fault;
  fault.began = synth::kStart + 2ms;
  s.add(2ms + 100us, {100, 109}, fault, 7);  // another thread, but this goroutine
  fault.began = synth::kStart + 3ms;
  s.add(3ms + 100us, kA, fault, 8);  // its thread, but another goroutine
  fault.began = synth::kStart + 4ms;
  s.add(4ms + 100us, kA, fault, 0);  // goroutine unknown
  s.add(5ms, kA, formats::GoPanic{formats::GoPanicStep::began, {}}, 7);
  s.add(6ms, {100, 108}, formats::GoRuntime{formats::GoPhase::stop_begin, s.own("GC mark termination")});
  s.add(6ms + 10us, {100, 108}, formats::GoRuntime{formats::GoPhase::stopped, {}});
  s.add(6ms + 60us, {100, 108}, formats::GoRuntime{formats::GoPhase::started, {}});
  in.of(7).send(9ms, kOk);
  s.add(20ms, {100, 108}, formats::GoRuntime{formats::GoPhase::stopped, {}});
  s.add(21ms, {100, 108}, formats::GoRuntime{formats::GoPhase::started, {}});
  const auto spans = spans_of_events(s.with_end());
  EXPECT_EQ(spans->tally("page_fault.major").attached, 1u);
  EXPECT_EQ(spans->tally("page_fault.major").unmatched, 2u);
  EXPECT_EQ(spans->tally("exception").attached, 1u);
  EXPECT_EQ(spans->tally("gc.stop").attached, 1u);
  EXPECT_EQ(spans->tally("gc.stop").unmatched, 1u);
  const model::Span* served = spans->named("GET /in");
  ASSERT_TRUE(served);
  ASSERT_EQ(served->events.size(), 3u);
  EXPECT_EQ(served->events[0].name, "page_fault.major");
  EXPECT_EQ(text(served->events[0].attributes, "tailcap.match"), "goroutine");
  EXPECT_EQ(served->events[1].name, "exception");
  EXPECT_EQ(served->events[2].name, "gc.stop");
  EXPECT_EQ(text(served->events[2].attributes, "tailcap.duration_ns"), "50000");
  EXPECT_EQ(text(served->events[2].attributes, "tailcap.reason"), "GC mark termination");
}

// An interval that began before the request or ends after it does not belong to the request alone.
TEST(SpansEvents, OnlyWhatLiesInsideIsAttached) {
  Scenario s;
  s.clock(0ms, 1'700'000'000'000'000'000);
  Opening o;
  o.thread = kA;
  Endpoint& in = s.open(0ms, o);
  in.receive(1ms, 2ms, get("/a"));
  s.off_cpu(kA, {.left = 1ms, .runnable = 1ms + 500us, .on = 1ms + 900us, .syscall = 45});  // waited for the request
  s.off_cpu(kA, {.left = 3ms, .runnable = 4ms, .on = 4ms, .syscall = 35});
  formats::Stall reclaim;
  reclaim.what = formats::StallKind::reclaim;
  reclaim.began = synth::kStart + 5ms;
  in.send(6ms, kOk);
  s.add(7ms, kA, reclaim);
  reclaim.what = formats::StallKind::fragmented;
  reclaim.began = synth::kStart + 5ms;
  s.add(5ms, kA, reclaim);  // an instant, without duration
  const auto spans = spans_of_events(s.with_end());
  EXPECT_EQ(spans->tally("tailcap.off_cpu").attached, 1u);
  EXPECT_EQ(spans->tally("tailcap.off_cpu").unmatched, 1u);
  EXPECT_EQ(spans->tally("memory.reclaim").attached, 0u);
  EXPECT_EQ(spans->tally("memory.reclaim").unmatched, 1u);
  EXPECT_EQ(text(spans->all()[0]->attributes, "tailcap.off_cpu.ns"), "1000000");
}

TEST(SpansEvents, OfOneSpanSoManyAreKeptAndTheOthersCounted) {
  Scenario s;
  s.clock(0ms, 1'700'000'000'000'000'000);
  Opening o;
  o.thread = kA;
  Endpoint& in = s.open(0ms, o);
  in.receive(1ms, 1ms, get("/a"));
  for (int i = 0; i < 200; ++i) {
    formats::FileCall call;
    call.act = formats::FileAct::read;
    call.began = synth::kStart + 2ms + i * 10us;
    call.result = i;
    s.add(2ms + i * 10us + 5us, kA, call);
  }
  in.send(9ms, kOk);
  const auto spans = spans_of_events(s.with_end());
  EXPECT_EQ(spans->tally("file").attached, 200u);
  ASSERT_EQ(spans->all().size(), 1u);
  EXPECT_EQ(spans->all()[0]->events.size(), Enrichment::kMaxEvents);
  EXPECT_EQ(spans->all()[0]->events_left_out, 200 - Enrichment::kMaxEvents);
}

struct Described {
  model::RequestTable table;
  model::Request row;
  EndpointTexts ends{"10.0.0.1:80", "[fd00::2]:40000", 0, 0};
  model::Span span() {
    model::Span out;
    describe(table, row, ends, out);
    return out;
  }
};

TEST(SpansDescribed, CallsOfGrpc) {
  Described d;
  d.row.protocol = model::Protocol::grpc;
  d.row.method = d.table.texts.intern("POST");
  d.row.path = d.table.texts.intern("/shop.Cart/Add");
  d.row.status = 200;
  d.row.grpc_status = 5;
  d.row.role = model::Role::server;
  model::Span server = d.span();
  EXPECT_EQ(server.name, "shop.Cart/Add");
  EXPECT_EQ(text(server.attributes, "rpc.system"), "grpc");
  EXPECT_EQ(text(server.attributes, "rpc.service"), "shop.Cart");
  EXPECT_EQ(text(server.attributes, "rpc.method"), "Add");
  EXPECT_EQ(text(server.attributes, "rpc.grpc.status_code"), "5");
  EXPECT_EQ(server.status, model::SpanStatus::unset) << "NOT_FOUND is no error of the server's";
  d.row.role = model::Role::client;
  EXPECT_EQ(d.span().status, model::SpanStatus::error);
  d.row.role = model::Role::server;
  d.row.grpc_status = 13;
  EXPECT_EQ(d.span().status, model::SpanStatus::error);
  EXPECT_EQ(text(d.span().attributes, "network.protocol.version"), "2");
}

TEST(SpansDescribed, StatusNamesAndAddresses) {
  Described d;
  d.row.protocol = model::Protocol::http11;
  d.row.method = d.table.texts.intern("BREW");
  d.row.path = d.table.texts.intern("/pot?cups=2");
  d.row.route = d.table.texts.intern("/pot");
  d.row.status = 404;
  d.row.role = model::Role::server;
  d.row.outcome = model::Outcome::client_error;
  const model::Span server = d.span();
  EXPECT_EQ(server.name, "HTTP /pot");
  EXPECT_EQ(text(server.attributes, "http.request.method"), "_OTHER");
  EXPECT_EQ(text(server.attributes, "http.request.method_original"), "BREW");
  EXPECT_EQ(text(server.attributes, "url.path"), "/pot");
  EXPECT_EQ(text(server.attributes, "url.query"), "cups=2");
  EXPECT_EQ(text(server.attributes, "client.address"), "fd00::2");
  EXPECT_EQ(text(server.attributes, "server.port"), "80");
  EXPECT_EQ(server.status, model::SpanStatus::unset);
  d.row.role = model::Role::client;
  EXPECT_EQ(d.span().status, model::SpanStatus::error);
  EXPECT_EQ(text(d.span().attributes, "error.type"), "404");
  d.row.outcome = model::Outcome::truncated;
  d.row.status = 200;
  EXPECT_EQ(text(d.span().attributes, "error.type"), "truncated");
  d.row.outcome = model::Outcome::in_flight;
  d.row.status = 0;
  EXPECT_EQ(d.span().status, model::SpanStatus::unset) << "not over yet";
  EXPECT_EQ(host_port("unix:/run/x.sock").host, "/run/x.sock");
  EXPECT_TRUE(host_port("unix:/run/x.sock").is_unix);
  EXPECT_EQ(host_port("shop:8080").port, 8080);
  EXPECT_EQ(host_port("shop:80800").port, -1);
  EXPECT_EQ(host_port("fd00::2").host, "fd00::2");
  EXPECT_EQ(host_port("[").port, -1);
}

}  // namespace
}  // namespace tailcap::spans::spans_events_test
