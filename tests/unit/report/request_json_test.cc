#include "analyze/report/json/request_json.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <random>

#include "analyze/model/trace/trace_identity.h"
#include "analyze/report/json/indented.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/study/report_json.h"
#include "analyze/report/words/json_schema.h"
#include "ground/http/request_ids.h"
#include "tests/unit/tail/sample_study.h"

namespace tailcap::report {
namespace {

using Json = nlohmann::ordered_json;

std::string written(std::string_view text) {
  std::string out;
  JsonWriter(out).text(text);
  return out;
}

TEST(JsonWriter, TextRoundTrips) {
  for (const std::string_view text : {"", "plain", "\"\\/", "\n\t\r\x01\x1f\x7f", "ü€😀", "\0x"})
    EXPECT_EQ(Json::parse(written(text)), text);
  EXPECT_EQ(written(std::string_view("a\0b", 3)), "\"a\\u0000b\"");
}

TEST(Indented, ALineForEachValue) {
  const Json json = {{"a", "{\"[,:]\\"},
                     {"none", Json::array()},
                     {"empty", Json::object()},
                     {"list", {1, nullptr, {{"b", true}, {"c", Json::array({Json::array(), -2})}}}}};
  EXPECT_EQ(indented(json.dump()), json.dump(2));
  EXPECT_EQ(indented("[]"), "[]");
  EXPECT_EQ(indented("\"a\""), "\"a\"");
}

TEST(JsonWriter, WrongBytesAreReplaced) {
  const std::string bad = "\xef\xbf\xbd";
  EXPECT_EQ(Json::parse(written("a\xff"
                                "b")),
            "a" + bad + "b");
  EXPECT_EQ(Json::parse(written("\xc0\xaf")), bad + bad);                              // overlong
  EXPECT_EQ(Json::parse(written("\xed\xa0\x80")), bad + bad + bad);                    // surrogate
  EXPECT_EQ(Json::parse(written("\xe2\x82")), bad + bad);                              // cut
  EXPECT_EQ(Json::parse(written("\xf4\x90\x80\x80")).get<std::string>().size(), 12u);  // beyond U+10FFFF
}

TEST(JsonWriter, AnyBytesMakeValidJson) {
  std::mt19937_64 random(12);
  for (int i = 0; i < 5000; ++i) {
    std::string text(random() % 40, ' ');
    for (char& c : text) c = static_cast<char>(random() % (i % 2 ? 256 : 128));
    ASSERT_TRUE(Json::accept(written(text)));
  }
}

TEST(JsonWriter, CommasAndNumbers) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("a", std::int64_t{INT64_MIN});
  json.field("b", std::uint64_t{UINT64_MAX});
  json.key("c");
  json.begin_array();
  json.real(0.1);
  json.real(1e300);
  json.real(std::numeric_limits<double>::infinity());
  json.begin_object();
  json.end_object();
  json.end_array();
  json.field("d", true);
  json.key("e");
  json.null();
  json.end_object();
  EXPECT_EQ(out,
            "{\"a\":-9223372036854775808,\"b\":18446744073709551615,\"c\":[0.1,1e+300,null,{}],\"d\":true,\"e\":null}");
}

// The stable names, in order.
TEST(RequestJson, NamesAndNulls) {
  model::RequestTable table;
  model::WallClock clock;
  model::Request row;
  row.id = {12, 3};
  row.first_byte = model::Duration{-1};
  std::string out;
  append_request(out, table, row, clock, {.with_headers = true});
  const Json json = Json::parse(out);
  const std::vector<std::string> names = {"id",
                                          "role",
                                          "protocol",
                                          "tls",
                                          "method",
                                          "path",
                                          "route",
                                          "authority",
                                          "status",
                                          "grpc_status",
                                          "grpc_cause",
                                          "rpc",
                                          "outcome",
                                          "complete",
                                          "tainted",
                                          "operation",
                                          "resource",
                                          "statement",
                                          "error_code",
                                          "rows",
                                          "asked_to_wait",
                                          "start_ns",
                                          "duration_ns",
                                          "duration_at_least_ns",
                                          "first_byte_ns",
                                          "reset_ns",
                                          "request_bytes",
                                          "response_bytes",
                                          "pid",
                                          "tid",
                                          "machine",
                                          "comm",
                                          "handler",
                                          "connection",
                                          "stream",
                                          "trace_id",
                                          "trace_id_source",
                                          "span_id",
                                          "span_id_source",
                                          "service_name",
                                          "service_name_source",
                                          "parent_span_id",
                                          "trace_format",
                                          "trace_flags",
                                          "x_request_id",
                                          "parent",
                                          "parent_how",
                                          "parent_confidence",
                                          "parent_alternatives",
                                          "peer",
                                          "split",
                                          "attempt",
                                          "attempt_of",
                                          "attempt_how",
                                          "http2",
                                          "phases",
                                          "milestones",
                                          "labels",
                                          "culprits",
                                          "setup",
                                          "local",
                                          "remote",
                                          "request_headers",
                                          "response_headers",
                                          "request_trailers",
                                          "response_trailers"};
  std::vector<std::string> got;
  for (const auto& [name, value] : json.items()) got.push_back(name);
  EXPECT_EQ(got, names);
  EXPECT_EQ(json["id"], "12.3");
  for (const char* name : {"protocol",
                           "method",
                           "path",
                           "status",
                           "start_ns",
                           "duration_ns",
                           "first_byte_ns",
                           "request_bytes",
                           "pid",
                           "comm",
                           "parent_span_id",
                           "trace_format",
                           "trace_flags",
                           "x_request_id",
                           "parent",
                           "parent_how",
                           "parent_confidence",
                           "parent_alternatives",
                           "peer",
                           "attempt",
                           "attempt_of",
                           "attempt_how",
                           "http2",
                           "phases",
                           "milestones",
                           "labels",
                           "culprits",
                           "setup",
                           "local",
                           "request_headers"})
    EXPECT_TRUE(json[name].is_null()) << name;
}

TEST(RequestJson, WhatOnlyStreamsHave) {
  model::RequestTable table;
  model::WallClock clock;
  model::Request row;
  row.id = {1, 2};
  row.stream = 5;
  row.protocol = model::Protocol::http2;
  row.role = model::Role::client;
  const auto json = [&] {
    std::string out;
    append_request(out, table, row, clock);
    return Json::parse(out);
  };
  for (const char* name : {"flow_control_ns", "request_flow_control_ns", "response_flow_control_ns", "behind_others_ns",
                           "behind_others_bytes", "opened_at_limit", "stream_limit_ns"})
    EXPECT_TRUE(json()["http2"][name].is_null()) << name;  // windows not followed
  EXPECT_EQ(json()["http2"]["pushed"], false);
  row.request_flow_control = 5;
  row.response_flow_control = 7;
  row.behind_others = 9;
  row.behind_others_bytes = 11;
  row.stream_limit = 13;
  row.pushed = true;
  row.attempt = 2;
  row.attempt_of = {1, 1};
  row.attempt_how = model::AttemptEvidence::refused;
  row.from_peer =
      static_cast<std::uint8_t>(model::FromPeer::path) | static_cast<std::uint8_t>(model::FromPeer::grpc_status);
  EXPECT_EQ(json()["http2"],
            Json::parse(
                R"({"flow_control_ns":12,"request_flow_control_ns":5,"response_flow_control_ns":7,"behind_others_ns":9,
    "behind_others_bytes":11,"opened_at_limit":true,"stream_limit_ns":13,"pushed":true,"from_other_end":["path","grpc_status"]})"));
  EXPECT_EQ(json()["attempt"], 2);
  EXPECT_EQ(json()["attempt_of"], "1.1");
  EXPECT_EQ(json()["attempt_how"], "inferred: refused");
  row.stream_limit = -1;
  EXPECT_EQ(json()["http2"]["opened_at_limit"], false);
  row.role = model::Role::server;  // unknown at the server
  EXPECT_TRUE(json()["http2"]["opened_at_limit"].is_null());
}

TEST(RequestJson, FactsAreThere) {
  model::RequestTable table;
  model::WallClock clock;
  clock.add(formats::time_from(1'000), 5'000'001'000, {});
  model::Request row;
  row.id = {1, 2};
  row.peer = {3, 4};
  row.role = model::Role::client;
  row.start = formats::time_from(2'000);
  row.has_duration = row.has_phases = true;
  row.duration = model::Duration{50};
  row.phases = {10, 0, 0, 20, 5, 15};
  row.traceparent = table.texts.intern("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  row.trace_format = model::TraceFormat::b3;
  model::Cause cause;
  cause.alternatives = 2;
  table.causes.assign({{row.id, cause}});
  row.taints = model::Taints{} | model::Taint::payload_cut | model::Taint::conflict;
  model::Headers headers;
  headers.add("Host", "h");
  headers.add("host", "\xff");
  std::string out;
  append_request(out, table, row, clock, {.with_headers = true, .request_headers = &headers});
  Json json = Json::parse(out);
  EXPECT_EQ(json["start_ns"], 5'000'002'000);
  EXPECT_EQ(json["phases"].dump(), R"({"send":10,"continue":0,"pipelined":0,"ttfb":20,"pickup":5,"body":15})");
  EXPECT_EQ(json["tainted"].dump(), R"(["payload_cut","conflict"])");
  EXPECT_EQ(json["peer"], "3.4");
  EXPECT_EQ(json["trace_id"], "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(json["span_id"], "b7ad6b7169203331");
  EXPECT_TRUE(json["parent_span_id"].is_null());
  EXPECT_EQ(json["trace_format"], "b3");
  EXPECT_TRUE(json["parent"].is_null() && json["parent_how"].is_null() && json["parent_confidence"].is_null())
      << "undecided";
  EXPECT_EQ(json["parent_alternatives"], 2);
  EXPECT_EQ(json["request_headers"].size(), 2u);
  EXPECT_EQ(json["request_headers"][0][1], "h");
  EXPECT_TRUE(json["response_headers"].is_null());
  table.causes.assign({{row.id, {{5, 6}, model::CauseMethod::turn, false, 1}}});
  out.clear();
  append_request(out, table, row, clock);
  json = Json::parse(out);
  EXPECT_EQ(json["parent"], "5.6");
  EXPECT_EQ(json["parent_how"], "turn");
  EXPECT_EQ(json["parent_confidence"], "likely");
  EXPECT_EQ(json["parent_alternatives"], 1);
  row.role = model::Role::server;
  out.clear();
  append_request(out, table, row, clock);
  json = Json::parse(out);
  EXPECT_EQ(json["parent_span_id"], "b7ad6b7169203331");
  EXPECT_EQ(json["span_id_source"], "synthetic") << "a server's own span is on no wire";
  EXPECT_FALSE(json.contains("request_headers"));
}

TEST(RequestJson, EveryRowHasATraceASpanAndAService) {
  model::RequestTable table;
  model::WallClock clock;
  clock.add(formats::time_from(5), 1'700'000'000'000'000'000, {});
  model::Request client, server;
  client.id = {3, 7};
  server.id = {4, 1};
  client.role = model::Role::client;
  server.role = model::Role::server;
  client.peer = server.id;
  server.peer = client.id;
  const auto json_of = [&](const model::Request& row, const model::WallClock& by) {
    std::string out;
    RequestExtras extras;
    extras.local = table.texts.intern("10.0.0.1:80");
    extras.remote = table.texts.intern("10.0.0.2:9");
    append_request(out, table, row, by, extras);
    return Json::parse(out);
  };
  const Json a = json_of(client, clock), b = json_of(server, clock);
  for (const Json& json : {a, b}) {
    EXPECT_EQ(json["trace_id_source"], "synthetic");
    EXPECT_EQ(json["span_id_source"], "synthetic");
    EXPECT_EQ(json["trace_id"].get<std::string>().size(), 32u);
    EXPECT_EQ(json["span_id"].get<std::string>().size(), 16u);
  }
  EXPECT_EQ(a["trace_id"], b["trace_id"]);
  EXPECT_NE(a["span_id"], b["span_id"]);
  EXPECT_EQ(a, json_of(client, clock)) << "the same every time";
  table.salt = ground::salt_of("another");
  EXPECT_NE(a["trace_id"], json_of(client, clock)["trace_id"]) << "another capture, another trace";
  EXPECT_NE(a["span_id"], json_of(client, clock)["span_id"]);
  EXPECT_EQ(a["service_name"], "10.0.0.2:9");
  EXPECT_EQ(a["service_name_source"], "address");
  EXPECT_EQ(b["service_name_source"], "listener");
  server.comm = table.texts.intern("nginx");
  EXPECT_EQ(json_of(server, clock)["service_name_source"], "process");
  server.authority = client.authority = table.texts.intern("shop");
  client.stream = 5;
  EXPECT_EQ(json_of(server, clock)["service_name"], "nginx") << "the process, whatever the request calls it";
  server.comm = 0;
  EXPECT_EQ(json_of(server, clock)["service_name"], "shop");
  EXPECT_EQ(json_of(server, clock)["service_name_source"], "host");
  EXPECT_EQ(json_of(client, clock)["service_name_source"], ":authority");
  client.traceparent = table.texts.intern("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  client.trace_format = model::TraceFormat::b3;
  EXPECT_EQ(json_of(client, clock)["trace_id"], "0af7651916cd43dd8448eb211c80319c");
  EXPECT_EQ(json_of(client, clock)["trace_id_source"], "b3");
  EXPECT_EQ(json_of(client, clock)["span_id_source"], "b3");
}

// The ids of tailcap-inject, which were computed by another program (in Python) from the rule in
// ground/http/request_ids.h.
TEST(RequestJson, ACallOnAWholeConnectionHasTheIdsOfTheWire) {
  model::RequestTable table;
  model::WallClock clock;
  clock.add(formats::time_from(5), 1'700'000'000'000'000'000, {});
  table.salt = ground::salt_of("a capture");
  table.machine_salt = ground::machine_salt_of("b5a5b9f3-3a39-4c0b-9f3b-7d5f0c1f8a11");
  EXPECT_EQ(ground::machine_salt_of("00000000-0000-0000-0000-000000000000"), 0u) << "no machine has it";
  table.whole_calls = {0, 0, 4711};
  model::Request row;
  row.role = model::Role::client;
  const auto ids_of = [&](model::ExchangeId id) {
    row.id = id;
    std::string out;
    append_request(out, table, row, clock);
    const Json json = Json::parse(out);
    return std::pair{json["trace_id"].get<std::string>(), json["span_id"].get<std::string>()};
  };
  EXPECT_EQ(ids_of({2, 3}),
            (std::pair<std::string, std::string>{"8b2c2c7179ba2867da35ffa39a2b3ea3", "bc452024208fa0eb"}));
  const auto of_another = ids_of({1, 3}), provisional = ids_of({2, model::kProvisional + 3});
  table.salt = ground::salt_of("another capture");
  EXPECT_EQ(ids_of({2, 3}).first, "8b2c2c7179ba2867da35ffa39a2b3ea3") << "in every capture";
  EXPECT_NE(ids_of({1, 3}), of_another);
  EXPECT_NE(ids_of({2, model::kProvisional + 3}), provisional) << "its number is not that on the wire";
}

TEST(ReportJson, IsValidWhateverNamesAreInIt) {
  for (const auto& sample : {tests::sample_study(), tests::hostile_study()}) {
    const std::string text = json_report(sample.study, sample.table);
    const Json json = Json::parse(text);
    EXPECT_EQ(json["schema"], kJsonSchema);
    EXPECT_EQ(json["routes"].size(), sample.study.routes.size());
    EXPECT_EQ(json["slowest"].size(), sample.study.slowest.size());
    EXPECT_EQ(text.back(), '\n');
  }
}

TEST(ReportJson, RefusedQuantilesHaveNoValue) {
  const auto sample = tests::hostile_study();
  const Json json = Json::parse(json_report(sample.study, sample.table));
  const Json& q = json["routes"][0]["latency"][3];
  EXPECT_EQ(q["support"], "refused");
  EXPECT_TRUE(q["value_ns"].is_null());
  EXPECT_TRUE(q["low_ns"].is_null());
  EXPECT_FALSE(q["reason"].is_null());
}

}  // namespace
}  // namespace tailcap::report
