// Hard cases of gRPC, from events to exchanges and rows: h15, h16, trace context on the wire, gRPC-Web.
#include <gtest/gtest.h>

#include "analyze/pipeline/pipeline.h"
#include "analyze/report/study/report_json.h"
#include "tests/synth/chain.h"
#include "tests/synth/scenario.h"
#include "tests/unit/protocols/http2_wire.h"

namespace tailcap::hard_cases_grpc_test {
namespace {

using namespace std::chrono_literals;
using namespace protocols::http2;
using model::GrpcDeadline;
using model::Outcome;
using model::Role;
using synth::Endpoint;
using synth::kStart;
using synth::Scenario;

const std::string kHello = std::string(kPreface) + settings();
const Fields kAnswer = {{":status", "200"}, {"content-type", "application/grpc"}};

Fields with(Fields fields, const std::string& name, const std::string& value) {
  fields.emplace_back(name, value);
  return fields;
}

// A connection seen at both ends: bytes arrive 100 µs after the send and are read 200 µs after it.
struct Both {
  Scenario s;
  Encoder client, server;
  std::pair<Endpoint&, Endpoint&> ends = s.loopback(0ms, {}, formats::Thread{200, 200});
  Both() {
    ask(1ms, kHello);
    answer(1ms, settings());
  }
  void ask(formats::Duration at, const std::string& bytes) {
    ends.first.send(at, bytes);
    ends.second.receive(at + 100us, at + 200us, bytes);
  }
  void answer(formats::Duration at, const std::string& bytes) {
    ends.second.send(at, bytes);
    ends.first.receive(at + 100us, at + 200us, bytes);
  }
  pipeline::Analysis analyse() { return pipeline::analyze({}, s.with_end()); }
};

const model::Exchange* find(const synth::Result& r, Role role) {
  for (const auto& x : r.exchanges)
    if (x.role == role) return &x;
  return nullptr;
}

TEST(HardCasesGrpc, h15_times_and_sizes_of_messages_at_both_ends) {
  Both b;
  b.ask(10ms, headers(1, b.client(call("/chat/Talk")), kEndHeaders));
  b.ask(11ms, data(1, grpc_message("one")) + data(1, grpc_message("three", true).substr(0, 7)));
  b.ask(13ms, data(1, grpc_message("three", true).substr(7), kEndStream));
  b.answer(20ms, headers(1, b.server(kAnswer), kEndHeaders) +
                     data(1, grpc_message("") + grpc_message(std::string(300, 'x'))));
  b.answer(30ms, headers(1, b.server({{"grpc-status", "3"}, {"grpc-message", "caf%C3%A9"}})));
  const auto r = synth::analyse(b.s.events());
  ASSERT_EQ(r.exchanges.size(), 2u) << synth::describe(r.exchanges);
  for (const auto& x : r.exchanges) {
    EXPECT_TRUE(x.complete);
    EXPECT_EQ(x.outcome, Outcome::client_error);
    ASSERT_TRUE(x.request_grpc && x.response_grpc);
    EXPECT_EQ(x.response_grpc->status, 3);
    EXPECT_EQ(x.response_grpc->message, "caf\xc3\xa9");
    const auto &up = x.request_grpc->listed, &down = x.response_grpc->listed;
    ASSERT_EQ(up.size(), 2u);
    ASSERT_EQ(down.size(), 2u);
    EXPECT_EQ(up[0].length, 3u);
    EXPECT_EQ(up[1].length, 5u);
    EXPECT_TRUE(up[1].compressed);
    EXPECT_EQ(down[0].length, 0u);
    EXPECT_EQ(down[1].length, 300u);
    const bool server = x.role == Role::server;
    EXPECT_EQ(up[0].last_done, kStart + (server ? 11'200us : 11ms));
    EXPECT_EQ(up[1].first_done, kStart + (server ? 11'200us : 11ms));
    EXPECT_EQ(up[1].last_done, kStart + (server ? 13'200us : 13ms));
    EXPECT_EQ(up[1].last_arrived, server ? kStart + 13'100us : formats::kNoTime);
    EXPECT_EQ(down[1].last_done, kStart + (server ? 20ms : 20'200us));
  }
}

TEST(HardCasesGrpc, h15_trailers_only) {
  Both b;
  b.ask(10ms, headers(1, b.client(call("/a/B"))));
  b.answer(
      12ms,
      headers(1, b.server(with(with(kAnswer, "grpc-status", "12"), "grpc-message", "unknown method B for service a"))));
  const auto analysis = b.analyse();
  ASSERT_EQ(analysis.table.rows.size(), 2u);
  for (const auto row : analysis.table.rows) {
    EXPECT_EQ(row.grpc_status, 12);
    EXPECT_TRUE(row.complete);
    EXPECT_EQ(model::unimplemented_cause(analysis.table.texts[row.grpc.message]), model::GrpcCause::unknown_method);
    EXPECT_EQ(row.grpc.response_messages, 0);
  }
}

// The client resets at its deadline while the server is still working, after part of its answer.
TEST(HardCasesGrpc, h16_deadline_with_both_clocks) {
  Both b;
  b.ask(10ms, headers(1, b.client(with(call("/slow/Work"), "grpc-timeout", "50m")), kEndHeaders) +
                  data(1, grpc_message("go"), kEndStream));
  b.answer(20ms, headers(1, b.server(kAnswer), kEndHeaders) + data(1, grpc_message("part")));
  b.ask(60'300us, rst(1, 8));
  const auto r = synth::analyse(b.s.events());
  ASSERT_EQ(r.exchanges.size(), 2u) << synth::describe(r.exchanges);
  for (const auto& x : r.exchanges) {
    const bool server = x.role == Role::server;
    EXPECT_EQ(x.outcome, Outcome::cancelled);
    EXPECT_FALSE(x.complete);
    ASSERT_TRUE(x.reset && x.response_grpc);
    EXPECT_FALSE(x.response_grpc->status);  // no status was sent, none is invented
    EXPECT_EQ(x.response_grpc->messages, 1u);
    EXPECT_EQ(x.reset->at, kStart + (server ? 60'400us : 60'300us));
    EXPECT_EQ(x.reset->done, kStart + (server ? 60'500us : 60'300us));
  }
  const auto analysis = b.analyse();
  ASSERT_EQ(analysis.table.rows.size(), 2u);
  for (const auto row : analysis.table.rows) {
    EXPECT_EQ(row.reset_after, 50'300'000);
    EXPECT_EQ(row.grpc_status, -1);
    EXPECT_FALSE(row.has_duration);
    EXPECT_EQ(model::deadline_of(row), GrpcDeadline::missed);
  }
  ASSERT_EQ(analysis.study.routes.size(), 2u);
  for (const auto& route : analysis.study.routes) {
    ASSERT_TRUE(route.calls);
    EXPECT_EQ(route.calls->missed, 1u);
    EXPECT_EQ(route.calls->cancelled, 1u);
    ASSERT_EQ(route.calls->misses.size(), 1u);
    const auto& miss = route.calls->misses[0];
    ASSERT_TRUE(miss.peer);
    EXPECT_NE(analysis.table.rows[miss.row].role, analysis.table.rows[*miss.peer].role);
  }
}

TEST(HardCasesGrpc, h16_cancelled_long_before_the_deadline) {
  Both b;
  b.ask(10ms, headers(1, b.client(with(call("/slow/Work"), "grpc-timeout", "10S")), kEndHeaders) +
                  data(1, grpc_message("go"), kEndStream));
  b.ask(60ms, rst(1, 8));
  for (const auto row : b.analyse().table.rows) {
    EXPECT_EQ(row.outcome, Outcome::cancelled);
    EXPECT_EQ(model::deadline_of(row), GrpcDeadline::abandoned);
  }
}

// The server sends its answer first: at its end the answer counts, at the client's end the client's reset.
TEST(HardCasesGrpc, h16_both_ends_give_up) {
  Both b;
  b.ask(10ms, headers(1, b.client(with(call("/slow/Work"), "grpc-timeout", "50m")), kEndHeaders) +
                  data(1, grpc_message("go"), kEndStream));
  const std::string status = headers(1, b.server(with(kAnswer, "grpc-status", "4")));
  b.ends.second.send(60ms, status);
  b.ends.first.send(60ms, rst(1, 8));
  b.ends.second.receive(61ms, 62ms, rst(1, 8));
  b.ends.first.receive(61ms, 62ms, status);
  const auto r = synth::analyse(b.s.events());
  ASSERT_EQ(r.exchanges.size(), 2u) << synth::describe(r.exchanges);
  EXPECT_EQ(find(r, Role::server)->response_grpc->status, 4);
  EXPECT_EQ(find(r, Role::server)->outcome, Outcome::server_error);
  EXPECT_EQ(find(r, Role::client)->outcome, Outcome::cancelled);
  for (const auto row : b.analyse().table.rows) EXPECT_EQ(model::deadline_of(row), GrpcDeadline::missed);
}

TEST(HardCasesGrpc, h16_only_the_client_cancels_and_only_with_cancel) {
  for (const bool by_client : {true, false}) {
    for (const std::uint32_t code : {2u, 8u}) {
      Both b;
      b.ask(10ms, headers(1, b.client(call("/a/B")), kEndHeaders) + data(1, grpc_message("go"), kEndStream));
      if (by_client)
        b.ask(20ms, rst(1, code));
      else
        b.answer(20ms, rst(1, code));
      const auto r = synth::analyse(b.s.events());
      ASSERT_EQ(r.exchanges.size(), 2u);
      for (const auto& x : r.exchanges)
        EXPECT_EQ(x.outcome, by_client && code == 8 ? Outcome::cancelled : Outcome::reset) << by_client << code;
    }
  }
}

const std::string kParent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

// Four kinds of call, one with late context and one without: only these two are reported.
TEST(HardCasesGrpc, context_late_and_missing_among_four_kinds) {
  Scenario s;
  Encoder client, server;
  Endpoint& e = s.open(0ms);
  e.receive(1ms, 1ms, kHello).send(1ms, settings());
  std::uint32_t id = 1;
  for (const char* method : {"/t.S/Unary", "/t.S/ClientStream", "/t.S/ServerStream", "/t.S/Bidi"}) {
    for (int i = 0; i < 3; ++i) {
      const bool late = id == 9, missing = id == 17;  // a stream of requests; a stream of answers
      Fields head = call(method);
      if (!late && !missing) head.emplace_back("traceparent", kParent);
      std::string in = headers(id, client(head), kEndHeaders) + data(id, grpc_message("q"), late ? 0 : kEndStream);
      if (late) in += headers(id, client({{"traceparent", kParent}}));
      e.receive(id * 10ms, id * 10ms, in);
      e.send(id * 10ms + 1ms, headers(id, server(kAnswer), kEndHeaders) + data(id, grpc_message("a")) +
                                  headers(id, server({{"grpc-status", "0"}})));
      id += 2;
    }
  }
  // A method that is never traced is not reported.
  e.receive(900ms, 900ms, headers(id, client(call("/grpc.health.v1.Health/Check"))));
  e.send(901ms, headers(id, server(with(kAnswer, "grpc-status", "0"))));
  const auto analysis = pipeline::analyze({}, s.with_end());
  EXPECT_EQ(analysis.study.quality.findings[model::Finding::trace_context_late], 1u);
  EXPECT_EQ(analysis.study.quality.findings[model::Finding::trace_context_missing], 1u);
  EXPECT_EQ(analysis.study.quality.findings[model::Finding::trace_context_invalid], 0u);
  std::vector<std::pair<std::uint32_t, bool>> told;
  for (const auto& route : analysis.study.routes)
    for (const auto& fault : route.calls->context_faults) told.emplace_back(fault.stream, fault.late);
  std::sort(told.begin(), told.end());
  EXPECT_EQ(told, (std::vector<std::pair<std::uint32_t, bool>>{{9, true}, {17, false}}));
  const std::string json = report::json_report(analysis.study, analysis.table);
  EXPECT_NE(json.find(R"("trace_context_violations":[{"id":"1.5","stream":9,"what":"late"}])"), json.npos) << json;
  EXPECT_NE(json.find(R"("trace_context_violations":[{"id":"1.9","stream":17,"what":"missing"}])"), json.npos);
}

TEST(HardCasesGrpc, every_form_of_context_gives_the_same_trace) {
  Both b;
  const std::string whole = "AAAK92UZFs1D3YRI6yEcgDGcAbeta3FpIDMxAgE";
  b.ask(10ms, headers(1, b.client(with(call("/a/B"), "traceparent", kParent))));
  b.ask(11ms, headers(3, b.client(with(call("/a/B"), "grpc-trace-bin", whole))));
  b.ask(12ms, headers(5, b.client(with(with(with(call("/a/B"), "trace-id", kParent.substr(3, 32)), "span-id",
                                            kParent.substr(36, 16)),
                                       "traceflags", "01"))));
  b.ask(13ms, headers(7, b.client(with(call("/a/B"), "grpc-trace-bin", whole.substr(0, 20)))));
  for (const std::uint32_t id : {1, 3, 5, 7})
    b.answer(20ms + id * 1ms, headers(id, b.server(with(kAnswer, "grpc-status", "0"))));
  const auto analysis = b.analyse();
  ASSERT_EQ(analysis.table.rows.size(), 8u);
  for (const auto row : analysis.table.rows)
    EXPECT_EQ(analysis.table.texts[row.traceparent], row.stream == 7 ? "" : kParent) << row.stream;
  EXPECT_EQ(analysis.study.quality.findings[model::Finding::trace_context_invalid], 2u);  // at each end
}

}  // namespace
}  // namespace tailcap::hard_cases_grpc_test
