// Completing an SDK's spans.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "analyze/spans/imported.h"
#include "tests/unit/spans/spans_case.h"

namespace tailcap::spans::spans_import_test {
namespace {

using namespace std::chrono_literals;
using formats::TcpState;
using synth::Endpoint;
using synth::Opening;
using synth::Scenario;
using synth::Thread;
using Json = nlohmann::ordered_json;

const std::string kTrace = "0af7651916cd43dd8448eb211c80319c";
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
constexpr Thread kA{100, 101}, kB{200, 200};
constexpr const char *kRoot = "1111111111111111", *kIn = "b7ad6b7169203331", *kServer = "5555555555555555",
                     *kCall = "c7ad6b7169203332", *kOther = "9999999999999999";

Json span(const char* id, const char* parent, int kind, const char* name) {
  Json out = {{"traceId", kTrace}, {"spanId", id}};
  if (parent) out["parentSpanId"] = parent;
  out["name"] = name;
  out["kind"] = kind;
  out["startTimeUnixNano"] = "1700000000000500000";
  out["endTimeUnixNano"] = "1700000000009500000";
  out["anything"] = {{"else", Json::array({1, 2.5, nullptr})}};
  return out;
}

Json request(const Json& spans) {
  return {{"resourceSpans",
           Json::array({{{"resource", {{"attributes", Json::array()}}},
                         {"scopeSpans", Json::array({{{"scope", {{"name", "sdk"}}}, {"spans", spans}}})}}})}};
}

// Process 100 serves /in (below span kIn), connects, and calls /out of 200 as span kCall.
std::vector<formats::Event> events(Scenario& s) {
  const auto get = [](const std::string& target, const char* parent) {
    return "GET " + target + " HTTP/1.1\r\nHost: h\r\ntraceparent: 00-" + kTrace + "-" + parent + "-01\r\n\r\n";
  };
  s.clock(0ms, 1'700'000'000'000'000'000);
  Opening o;
  o.thread = kA;
  o.remote = "10.0.0.2:40000";
  Endpoint& in = s.open(0ms, o);
  in.receive(1ms, 1ms, get("/in", kIn));
  Opening c;
  c.thread = kA;
  c.local = "10.0.0.1:50000";
  c.remote = "10.0.0.3:80";
  c.origin = formats::Origin::connected;
  auto [out, serving] = s.loopback(3ms, c, kB);
  s.add(2ms, kA, formats::StateChange{out.socket(), TcpState::close, TcpState::syn_sent, true, 0});
  s.add(2ms + 900us, {}, formats::StateChange{out.socket(), TcpState::syn_sent, TcpState::established, false, 0});
  out.send(4ms, get("/out", kCall));
  serving.receive(4ms + 100us, 4ms + 200us, get("/out", kCall));
  serving.send(6ms, kOk);
  s.off_cpu(kA, {.left = 4ms + 50us, .runnable = 7ms, .on = 7ms, .syscall = 45});
  out.receive(7ms, 7ms + 10us, kOk);
  in.send(9ms, kOk);
  return s.with_end();
}

std::vector<Json> spans_in(const Json& json) {
  std::vector<Json> out;
  for (const auto& r : json["resourceSpans"])
    for (const auto& scope : r["scopeSpans"])
      for (const auto& s : scope["spans"]) out.push_back(s);
  return out;
}

const Json* find(const std::vector<Json>& all, std::string_view name) {
  const Json* found = nullptr;
  for (const Json& s : all)
    if (s["name"] == name) found = &s;
  return found;
}

// The SDK's spans stay as they are, and get the recorded ones below them.
TEST(Import, CallsAreCompleted) {
  const Json told = request(Json::array(
      {span(kServer, kIn, 2, "serve"), span(kCall, kServer, 3, "call"), span(kOther, kServer, 3, "elsewhere")}));
  Scenario s;
  const auto spans = spans_of_events(events(s), told.dump());
  const Json json = Json::parse(spans->json());
  EXPECT_EQ(json["resourceSpans"][0], told["resourceSpans"][0]) << "unaltered, and first";
  const auto all = spans_in(json);
  std::set<std::string> ids;
  for (const Json& one : all) EXPECT_TRUE(ids.insert(one["spanId"].get<std::string>()).second) << one.dump();
  const Json* connect = find(all, "TCP connect");
  ASSERT_TRUE(connect);
  EXPECT_EQ((*connect)["parentSpanId"], kCall);
  EXPECT_EQ((*connect)["startTimeUnixNano"], "1700000000002000000");
  const Json* served = find(all, "GET /out");
  ASSERT_TRUE(served);
  EXPECT_EQ((*served)["parentSpanId"], kCall);
  const Json* wire = find(all, "GET /out (on the wire)");
  ASSERT_TRUE(wire);
  EXPECT_EQ((*wire)["parentSpanId"], kCall);
  const Json* in = find(all, "GET /in (on the wire)");
  ASSERT_TRUE(in) << "the SDK's own span of it has the parent that the header names";
  EXPECT_EQ((*in)["parentSpanId"], kServer);
  EXPECT_EQ(spans->facts.imported, 3u);
  EXPECT_EQ(spans->facts.imported_matched, 2u);
  EXPECT_EQ(spans->facts.holes, 1u) << kIn << " was told by nobody";
  EXPECT_EQ(spans->facts.holes_filled, 0u);
}

// The span of a call is missing: the call's request has its id, and connect is placed below it.
TEST(Import, AMissingCallIsFilledIn) {
  const Json told =
      request(Json::array({span(kRoot, nullptr, 2, "serve"), span("7777777777777777", kCall, 2, "below the hole")}));
  Scenario s;
  const auto spans = spans_of_events(events(s), told.dump());
  const auto all = spans_in(Json::parse(spans->json()));
  EXPECT_EQ(all[0], told["resourceSpans"][0]["scopeSpans"][0]["spans"][0]);
  EXPECT_EQ(all[1], told["resourceSpans"][0]["scopeSpans"][0]["spans"][1]);
  const Json* call = nullptr;
  for (const Json& one : all)
    if (one["spanId"] == kCall) call = &one;
  ASSERT_TRUE(call);
  EXPECT_EQ((*call)["name"], "GET /out");
  EXPECT_EQ((*find(all, "TCP connect"))["parentSpanId"], kCall);
  EXPECT_EQ(spans->facts.holes, 1u);
  EXPECT_EQ(spans->facts.holes_filled, 1u);
}

// The server's own span is missing: its call's span, which the SDK reported, names it.
TEST(Import, AServersIdIsLearntFromItsCalls) {
  const Json told = request(Json::array({span(kIn, nullptr, 3, "client"), span(kCall, kServer, 3, "call")}));
  Scenario s;
  const auto spans = spans_of_events(events(s), told.dump());
  const auto all = spans_in(Json::parse(spans->json()));
  const Json* in = find(all, "GET /in");
  ASSERT_TRUE(in);
  EXPECT_EQ((*in)["spanId"], kServer);
  EXPECT_EQ((*in)["parentSpanId"], kIn);
  EXPECT_EQ(spans->facts.holes, 1u);
  EXPECT_EQ(spans->facts.holes_filled, 1u);
}

// Calls that name different parents: between them is an unreported part of the program.
TEST(Import, WhereCallsNameDifferentParentsNoneIsTheServers) {
  Scenario s;
  auto all = events(s);
  all.pop_back();
  Opening c;
  c.thread = kA;
  c.local = "10.0.0.1:50009";
  c.remote = "10.0.0.3:80";
  c.origin = formats::Origin::connected;
  Endpoint& out = s.open(7ms + 100us, c);
  out.send(7ms + 200us, "GET /more HTTP/1.1\r\nHost: h\r\ntraceparent: 00-" + kTrace + "-dddddddddddddddd-01\r\n\r\n");
  s.off_cpu(kA, {.left = 7ms + 250us, .runnable = 8ms, .on = 8ms, .syscall = 45});
  out.receive(8ms, 8ms + 10us, kOk);
  const Json told =
      request(Json::array({span(kCall, kServer, 3, "call"), span("dddddddddddddddd", kOther, 3, "more")}));
  const auto spans = spans_of_events(s.with_end(), told.dump());
  const model::Span* in = spans->named("GET /in");
  ASSERT_TRUE(in);
  EXPECT_EQ(text(in->attributes, "tailcap.span_id_source"), "synthetic");
  EXPECT_EQ(spans->facts.holes, 2u);
  EXPECT_EQ(spans->facts.holes_filled, 0u);
}

TEST(Import, LinesAndSpansThatMatchNothingAreKept) {
  const std::string one = request(Json::array({span(kOther, nullptr, 1, "a")})).dump(),
                    two = request(Json::array({{{"name", "no ids"}}})).dump();
  const Imported imported = imported_of(one + "\n\n" + two + "\n", "x");
  ASSERT_EQ(imported.resource_spans.size(), 2u);
  EXPECT_EQ(imported.spans.size(), 1u);
  EXPECT_EQ(imported.without_ids, 1u);
  EXPECT_EQ(Json::parse(imported.resource_spans[1]), Json::parse(two)["resourceSpans"][0]);
  const Imported pretty = imported_of(Json::parse(one).dump(2), "x");
  EXPECT_EQ(pretty.spans.size(), 1u);
}

TEST(Import, WhatIsNoOtlpIsRefused) {
  const auto why = [](const std::string& text) {
    try {
      imported_of(text, "sdk.json");
      return std::string("(taken)");
    } catch (const std::runtime_error& e) {
      return std::string(e.what());
    }
  };
  EXPECT_EQ(why("{\"resourceSpans\":[]}"), "(taken)");
  for (const std::string& bad :
       {std::string(), std::string("x"), std::string("{"), std::string("[]"), std::string("{}"), std::string("null"),
        std::string("{\"resourceSpans\":{}}"), std::string("{\"resourceSpans\":[1]}"),
        std::string("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":\"x\"}]}]}"),
        std::string("{\"resourceSpans\":[]}\n{"), std::string("{\"resourceSpans\":[1e999]}"), std::string(100'000, '['),
        "{\"resourceSpans\":[{\"a\":" + std::string(50'000, '[') + std::string(50'000, ']') + "}]}",
        std::string("\xff\xfe\x00", 3)}) {
    EXPECT_EQ(why(bad).rfind("cannot import sdk.json: ", 0), 0u) << bad.substr(0, 60) << ": " << why(bad);
  }
  EXPECT_NE(why("{\"resourceSpans\":[]}\n{").find("line 2"), std::string::npos);
  // Ids of wrong types, unknown kinds, invalid parents.
  EXPECT_EQ(
      why("{\"resourceSpans\":[{\"scopeSpans\":[{\"spans\":[{\"traceId\":1,\"spanId\":null,\"kind\":{}},{\"traceId\":"
          "\"" +
          kTrace + "\",\"spanId\":\"B7AD6B7169203331\",\"parentSpanId\":\"\",\"kind\":\"SPAN_KIND_SERVER\"}]}]}]}"),
      "(taken)");
}

}  // namespace
}  // namespace tailcap::spans::spans_import_test
