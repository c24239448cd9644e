// Requests as spans: ids, parents, times, attached events, resources.
#include "analyze/spans/spans.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "analyze/spans/old_names.h"
#include "tests/unit/spans/spans_case.h"

namespace tailcap::spans {
namespace {

using namespace std::chrono_literals;
using formats::TcpState;
using synth::Duration;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;
using synth::Thread;

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr std::int64_t kBegan = 1'700'000'000'000'000'000;  // wall clock at the scenario's start
constexpr Thread kA{100, 101}, kB{200, 200};

std::string get(const std::string& target, const std::string& fields = "") {
  return "GET " + target + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string traced(const std::string& span) { return "traceparent: 00-" + kTrace + "-" + span + "-01\r\n"; }

// Process 100 serves /in on a thread, and calls /out of process 200 on a connection that it opens for that.
struct Shop {
  Scenario s;
  std::string in_fields = traced("b7ad6b7169203331"), out_fields;
  bool recorded_peer = true;

  Shop() { s.clock(0ms, kBegan); }
  void run() {
    Opening o;
    o.thread = kA;
    o.remote = "10.0.0.2:40000";
    Endpoint& in = s.open(0ms, o);
    in.receive(1ms, 1ms, get("/in", in_fields));
    Opening c;
    c.thread = kA;
    c.local = "10.0.0.1:50000";
    c.remote = "10.0.0.3:80";
    c.origin = formats::Origin::connected;
    const formats::SocketId socket = s.next_socket() + 1;  // of the next socket to be opened
    s.add(2ms, kA, formats::StateChange{socket, TcpState::close, TcpState::syn_sent, true, 0});
    s.add(3ms, {}, formats::StateChange{socket, TcpState::syn_sent, TcpState::established, false, 0});
    Endpoint* out = nullptr;
    Endpoint* serving = nullptr;
    if (recorded_peer) {
      auto [a, b] = s.loopback(3ms, c, kB);
      out = &a;
      serving = &b;
    } else {
      out = &s.open(3ms, c);
    }
    EXPECT_EQ(out->socket(), socket);
    out->send(4ms, get("/out", out_fields));
    if (serving) {
      serving->receive(4ms + 100us, 4ms + 200us, get("/out", out_fields));
      serving->send(6ms, kOk);
    }
    s.off_cpu(kA, {.left = 4ms + 50us, .runnable = 7ms, .on = 7ms, .syscall = 45});
    out->receive(7ms, 7ms + 10us, kOk);
    in.send(9ms, kOk);
  }
  std::unique_ptr<Spans> spans(std::string_view import = {}, std::string_view rules = {}) {
    run();
    return spans_of_events(s.with_end(), import, rules);
  }
};

TEST(Spans, OneTreeWithTheIdsOfTheWire) {
  Shop shop;
  shop.out_fields = traced("c7ad6b7169203332") + "tracestate: congo=t61\r\n";
  const auto spans = shop.spans();
  ASSERT_EQ(spans->all().size(), 4u) << "three ends of requests and a connect";
  const model::Span* in = nullptr;
  const model::Span* call = nullptr;
  const model::Span* serving = nullptr;
  for (const model::Span* s : spans->all()) {
    EXPECT_EQ(model::trace_hex(s->context), kTrace) << s->name;
    EXPECT_TRUE(s->context.sampled());
    if (s->name == "GET /in") in = s;
    if (s->name == "GET /out") (s->kind == model::SpanKind::client ? call : serving) = s;
  }
  const model::Span* connect = spans->named("TCP connect");
  ASSERT_TRUE(in && call && serving && connect);
  EXPECT_EQ(in->parent, 0xb7ad6b7169203331u);
  EXPECT_TRUE(in->parent_remote);
  EXPECT_EQ(text(in->attributes, "tailcap.span_id_source"), "synthetic");
  EXPECT_EQ(call->context.span, 0xc7ad6b7169203332u) << "what the header names is the call itself";
  EXPECT_EQ(call->parent, in->context.span);
  EXPECT_EQ(serving->parent, call->context.span);
  EXPECT_EQ(connect->parent, call->context.span);
  EXPECT_EQ(call->trace_state, "congo=t61");
  EXPECT_EQ(text(call->attributes, "tailcap.parent.how"), "trace_id");
  EXPECT_EQ(text(in->attributes, "http.request.method"), "GET");
  EXPECT_EQ(text(in->attributes, "url.path"), "/in");
  EXPECT_EQ(text(in->attributes, "http.response.status_code"), "200");
  EXPECT_EQ(text(call->attributes, "server.address"), "h");
  EXPECT_EQ(text(call->attributes, "network.peer.address"), "10.0.0.3");
  EXPECT_EQ(text(call->attributes, "network.peer.port"), "80");
  EXPECT_EQ(in->start, kBegan + 1'000'000);
  EXPECT_EQ(in->end, kBegan + 9'000'000);
  EXPECT_EQ(connect->end - connect->start, 1'000'000);
  EXPECT_EQ(text(connect->attributes, "tailcap.inferred"), "true");
  EXPECT_NE(text(connect->attributes, "tailcap.evidence").find("+0.002000000 s"), std::string::npos)
      << text(connect->attributes, "tailcap.evidence");
  std::set<std::uint64_t> ids;
  for (const model::Span* s : spans->all()) EXPECT_TRUE(ids.insert(s->context.span).second) << s->name;
}

TEST(Spans, ACallWithoutAHeaderBelongsToTheTraceOfWhatMadeIt) {
  Shop shop;
  const auto spans = shop.spans();
  for (const model::Span* s : spans->all()) EXPECT_EQ(model::trace_hex(s->context), kTrace) << s->name;
  const model::Span* in = spans->named("GET /in");
  ASSERT_TRUE(in);
  for (const model::Span* s : spans->all()) {
    if (s->name != "GET /out" || s->kind != model::SpanKind::client) continue;
    EXPECT_EQ(s->parent, in->context.span);
    EXPECT_EQ(text(s->attributes, "tailcap.trace_id_source"), "caller");
    EXPECT_EQ(text(s->attributes, "tailcap.parent.how"), "thread");
  }
}

TEST(Spans, WhoServesLearnsItsTraceFromItsCalls) {
  Shop shop;
  shop.in_fields.clear();
  shop.out_fields = traced("c7ad6b7169203332");
  const auto spans = shop.spans();
  const model::Span* in = spans->named("GET /in");
  ASSERT_TRUE(in);
  EXPECT_EQ(model::trace_hex(in->context), kTrace);
  EXPECT_EQ(text(in->attributes, "tailcap.trace_id_source"), "calls");
  EXPECT_EQ(in->parent, 0u);
}

// A proxy that passes the header on would give two spans the same id, and so form a cycle.
TEST(Spans, AHeaderThatIsPassedOnNamesOneSpan) {
  Shop shop;
  shop.out_fields = shop.in_fields;
  Opening o;
  o.thread = {300, 300};
  o.local = "10.0.0.2:40000";
  o.remote = "10.0.0.1:80";
  o.origin = formats::Origin::connected;
  Endpoint& client = shop.s.open(0ms, o);
  client.send(500us, get("/in", shop.in_fields));
  client.receive(9ms + 100us, 9ms + 200us, kOk);
  const auto spans = shop.spans();
  std::set<std::uint64_t> ids;
  for (const model::Span* s : spans->all()) {
    EXPECT_TRUE(ids.insert(s->context.span).second) << s->name;
    EXPECT_NE(s->context.span, s->parent);
    EXPECT_EQ(model::trace_hex(s->context), kTrace);
  }
  EXPECT_EQ(ids.count(0xb7ad6b7169203331u), 1u);
  for (const model::Span* s : spans->all()) {
    if (s->name == "GET /out" && s->kind == model::SpanKind::client) {
      EXPECT_EQ(text(s->attributes, "tailcap.span_id_source"), "synthetic");
    }
  }
}

// The clock is set forward by five seconds while requests run: no duration changes, and spans of one tree keep their
// distance.
TEST(Spans, AClockThatIsSetChangesNoDuration) {
  Shop shop;
  shop.s.clock(3ms + 500us, kBegan + 3'500'000 + 5'000'000'000);
  Endpoint& later = [&]() -> Endpoint& {
    Opening o;
    o.thread = {100, 109};
    o.remote = "10.0.0.2:40009";
    return shop.s.open(10ms, o);
  }();
  later.receive(20ms, 20ms, get("/later"));
  later.send(23ms, kOk);
  const auto spans = shop.spans();
  ASSERT_EQ(spans->all().size(), 5u);
  const model::Span* in = spans->named("GET /in");
  ASSERT_TRUE(in);
  EXPECT_EQ(in->end - in->start, 8'000'000);
  for (const model::Span* s : spans->all()) {
    if (s->name != "GET /out") continue;
    EXPECT_GE(s->start, in->start);
    EXPECT_LE(s->end, in->end);
    EXPECT_EQ(s->end - s->start, s->kind == model::SpanKind::client ? 3'010'000 : 1'900'000);
    EXPECT_EQ(text(s->attributes, "tailcap.clock.set_meanwhile_ns"), "5000000000") << "it began after that";
  }
  const model::Span* after = spans->named("GET /later");
  ASSERT_TRUE(after);
  EXPECT_EQ(after->end - after->start, 3'000'000);
  EXPECT_EQ(text(in->attributes, "tailcap.clock.uncertain_ns"), "5000000000")
      << "set between two readings, before or after it began";
  EXPECT_EQ(text(after->attributes, "tailcap.clock.uncertain_ns"), "(none)");
  EXPECT_EQ(after->start, kBegan + 20'000'000 + 5'000'000'000) << "what a server's own log says by then";
  EXPECT_EQ(text(after->attributes, "tailcap.clock.set_meanwhile_ns"), "(none)");
}

// 500 connects and 500 file opens in 500 requests, and 50 between requests.
TEST(Spans, EventsAreAttachedToTheRequestThatTheyHappenedInOrToNone) {
  Scenario s;
  s.clock(0ms, kBegan);
  constexpr int kThreads = 5, kEach = 100;
  std::vector<Endpoint*> connections;
  for (std::uint32_t t = 0; t < kThreads; ++t) {
    Opening o;
    o.thread = {100, 101 + t};
    o.remote = "10.0.0.2:" + std::to_string(40000 + t);
    connections.push_back(&s.open(0ms, o));
  }
  formats::SocketId socket = 100'000;
  int outside = 0;
  const auto connect = [&](Duration at, Thread thread) {
    ++socket;
    s.add(at, thread, formats::StateChange{socket, TcpState::close, TcpState::syn_sent, true, 0});
    s.add(at + 100us, {}, formats::StateChange{socket, TcpState::syn_sent, TcpState::close, false, 111});
  };
  const auto open_file = [&](Duration at, Thread thread, const std::string& path) {
    formats::FileCall call;
    call.began = synth::kStart + at;
    call.result = 7;
    call.path = s.own(path);
    s.add(at + 10us, thread, call);
  };
  for (int i = 0; i < kEach; ++i)
    for (std::uint32_t t = 0; t < kThreads; ++t) {
      const Thread thread{100, 101 + t};
      const Duration at = 1ms + i * 10ms + t * 700us;
      connections[t]->receive(at, at + 10us, get("/" + std::to_string(t) + "/" + std::to_string(i)));
      connect(at + 1ms, thread);
      open_file(at + 2ms, thread, "/data/" + std::to_string(t) + "/" + std::to_string(i));
      connections[t]->send(at + 5ms, kOk);
      if (i % 10 == 0) {
        if (outside++ % 2 == 0)
          connect(at + 6ms, thread);
        else
          open_file(at + 6ms, thread, "/outside");
      }
    }
  ASSERT_EQ(outside, 50);
  const auto spans = spans_of_events(s.with_end());
  EXPECT_EQ(spans->tally("connect").attached, 500u);
  EXPECT_EQ(spans->tally("file").attached, 500u);
  EXPECT_EQ(spans->tally("connect").unmatched + spans->tally("file").unmatched, 50u);
  ASSERT_EQ(spans->all().size(), 500u);
  for (const model::Span* span : spans->all()) {
    ASSERT_EQ(span->events.size(), 2u) << span->name;
    EXPECT_EQ(span->events[0].name, "connect");
    EXPECT_EQ(text(span->events[0].attributes, "tailcap.outcome"), "failed");
    EXPECT_EQ(span->events[1].name, "file");
    EXPECT_EQ(text(span->events[1].attributes, "file.path"), "/data" + text(span->attributes, "url.path"))
        << "a wrong one";
    for (const auto& e : span->events) EXPECT_TRUE(e.time >= span->start && e.time <= span->end);
  }
}

TEST(Spans, OfTwoRequestsOnOneThreadNobodyKnows) {
  Scenario s;
  s.clock(0ms, kBegan);
  Opening o;
  o.thread = kA;
  Endpoint& a = s.open(0ms, o);
  o.remote = "10.0.0.2:40001";
  Endpoint& b = s.open(0ms, o);
  a.receive(1ms, 1ms, get("/a"));
  b.receive(2ms, 2ms, get("/b"));
  formats::Stall fault;
  fault.what = formats::StallKind::major_fault;
  fault.began = synth::kStart + 3ms;
  s.add(4ms, kA, fault);
  b.send(5ms, kOk);
  a.send(6ms, kOk);
  const auto spans = spans_of_events(s.with_end());
  EXPECT_EQ(spans->tally("page_fault.major").attached, 0u);
  EXPECT_EQ(spans->tally("page_fault.major").unmatched, 1u);
  EXPECT_EQ(spans->tally("page_fault.major").several, 1u);
}

// A segment of the first answer is retransmitted while the second request runs.
TEST(Spans, WhatIsSentAgainBelongsToWhoseBytesTheyAre) {
  Scenario s;
  s.clock(0ms, kBegan);
  Opening o;
  o.thread = kA;
  Endpoint& c = s.open(0ms, o);
  c.receive(1ms, 1ms, get("/a")).send(2ms, kOk);
  c.receive(3ms, 3ms, get("/b"));
  s.add(4ms, {}, formats::Retransmit{c.socket(), 1000, 10});
  c.send(5ms, kOk);
  s.add(6ms, {}, formats::Retransmit{c.socket(), static_cast<std::uint32_t>(1000 + kOk.size()), 10});
  s.add(7ms, {}, formats::Retransmit{c.socket(), 999'999, 10});
  const auto spans = spans_of_events(s.with_end());
  EXPECT_EQ(spans->tally("tcp.retransmit").attached, 2u);
  EXPECT_EQ(spans->tally("tcp.retransmit").unmatched, 1u);
  ASSERT_TRUE(spans->named("GET /a") && spans->named("GET /b"));
  ASSERT_EQ(spans->named("GET /a")->events.size(), 1u);
  EXPECT_EQ(spans->named("GET /a")->events[0].time, kBegan + 4'000'000);
  ASSERT_EQ(spans->named("GET /b")->events.size(), 1u);
  EXPECT_EQ(spans->named("GET /b")->events[0].time, kBegan + 6'000'000);
}

TEST(Spans, TheResourceIsTheProcess) {
  Shop shop;
  const std::string id(64, 'c');
  formats::TaskInfo info;
  info.comm = shop.s.own("shop");
  info.executable = shop.s.own("/usr/bin/shopd");
  info.command_line = shop.s.own("shopd --password=x");
  info.cgroup = shop.s.own("/kubepods.slice/kubepods-pod0d3f3ab5_4d6c_4c12_8b8b_0f3a52a5e7a1.slice/cri-containerd-" +
                           id + ".scope");
  info.started = synth::kStart - 5s;
  shop.s.add(0ms, {100, 100}, info);
  formats::NetInterface net;
  net.net_namespace = 4026531840;
  net.index = 2;
  net.name = shop.s.own("eth7");
  net.family = formats::Family::inet;
  net.address.bytes = {10, 0, 0, 1};
  net.prefix = 24;
  shop.s.add(0ms, {}, net);
  const auto spans = shop.spans({},
                                "# names\ninsert k8s.namespace.name = \"shop front\"\ncopy service.namespace from "
                                "k8s.namespace.name where service.name = shop\n"
                                "delete tailcap.boot_id\nset service.name = cart where process.executable.name = "
                                "shopd\nspan insert env = prod\n");
  ASSERT_EQ(spans->result.resources.size(), 2u);
  const auto& a = spans->result.resources[0].attributes;
  EXPECT_EQ(text(a, "process.pid"), "100");
  EXPECT_EQ(text(a, "process.executable.path"), "/usr/bin/shopd");
  EXPECT_EQ(text(a, "process.executable.name"), "shopd");
  EXPECT_EQ(text(a, "container.id"), id);
  EXPECT_EQ(text(a, "container.runtime"), "containerd");
  EXPECT_EQ(text(a, "k8s.pod.uid"), "0d3f3ab5-4d6c-4c12-8b8b-0f3a52a5e7a1");
  EXPECT_EQ(text(a, "k8s.pod.name"), "(none)") << "no path has it";
  EXPECT_EQ(text(a, "process.creation.time"), "2023-11-14T22:13:15.000Z");
  EXPECT_EQ(text(a, "service.name"), "cart");
  EXPECT_EQ(text(a, "service.name.source"), "process");
  EXPECT_EQ(text(a, "service.namespace"), "shop front");
  EXPECT_EQ(text(a, "tailcap.boot_id"), "(none)");
  EXPECT_EQ(spans->json().find("password"), std::string::npos) << "no arguments";
  const model::Span* in = spans->named("GET /in");
  ASSERT_TRUE(in);
  EXPECT_EQ(text(in->attributes, "net.iface.name"), "eth7");
  EXPECT_EQ(text(in->attributes, "thread.id"), "101");
  EXPECT_EQ(text(in->attributes, "env"), "prod");
  const auto& b = spans->result.resources[1].attributes;
  EXPECT_EQ(text(b, "service.namespace"), "(none)") << "its name is not shop";
  EXPECT_EQ(text(b, "container.id"), "(none)");
}

TEST(Spans, RulesThatAreNoneSayWhere) {
  const auto why = [](const char* rules) {
    try {
      AttributeRules(rules, "x.rules");
      return std::string("(taken)");
    } catch (const std::runtime_error& e) {
      return std::string(e.what());
    }
  };
  EXPECT_EQ(why("\n# nothing\n"), "(taken)");
  for (const char* bad : {"insert a", "\ninsert a b c", "rename a = b", "copy a = b", "delete", "insert a = b c",
                          "insert a = \"b", "set a = b where c", "span"}) {
    EXPECT_EQ(why(bad).rfind("x.rules, line ", 0), 0u) << bad << ": " << why(bad);
  }
  EXPECT_NE(why("\ninsert a b c").find("line 2"), std::string::npos);
}

TEST(Spans, TheOldNames) {
  Shop shop;
  auto spans = shop.spans();
  for (auto& resource : spans->result.resources)
    for (auto& span : resource.spans) {
      use_old_names(span);
      if (span.name.starts_with("GET")) {
        EXPECT_EQ(text(span.attributes, "http.method"), "GET");
        EXPECT_EQ(text(span.attributes, "http.status_code"), "200");
        EXPECT_EQ(text(span.attributes, "http.target"), span.name.substr(4));
        EXPECT_EQ(text(span.attributes, span.kind == model::SpanKind::server ? "net.host.name" : "net.peer.name"), "h");
      }
      for (const auto& a : span.attributes)
        EXPECT_TRUE(!a.key.starts_with("url.") && !a.key.starts_with("http.request.") && !a.key.starts_with("server."))
            << a.key;
    }
}

TEST(Spans, TheTextIsOneExportRequest) {
  Shop shop;
  const auto json = nlohmann::json::parse(shop.spans()->json());
  ASSERT_EQ(json["resourceSpans"].size(), 2u);
  std::size_t spans = 0;
  for (const auto& r : json["resourceSpans"]) {
    ASSERT_EQ(r["scopeSpans"].size(), 1u);
    EXPECT_EQ(r["scopeSpans"][0]["scope"]["name"], "tailcap");
    for (const auto& s : r["scopeSpans"][0]["spans"]) {
      ++spans;
      EXPECT_EQ(s["traceId"].get<std::string>().size(), 32u);
      EXPECT_EQ(s["spanId"].get<std::string>().size(), 16u);
      EXPECT_TRUE(s["startTimeUnixNano"].is_string());
      EXPECT_LE(std::stoll(s["startTimeUnixNano"].get<std::string>()),
                std::stoll(s["endTimeUnixNano"].get<std::string>()));
      EXPECT_TRUE(s["kind"].is_number());
    }
  }
  EXPECT_EQ(spans, 4u);
}

}  // namespace
}  // namespace tailcap::spans
