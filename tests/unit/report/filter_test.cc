#include "analyze/query/filter.h"

#include <gtest/gtest.h>

#include "analyze/model/columns/column.h"
#include "analyze/query/later.h"
#include "analyze/query/literal.h"

namespace tailcap::query {
namespace {

using namespace model;

struct Sample {
  RequestTable table;
  TextPool& texts = table.texts;
  Request row;
  WallClock clock;
  Split split;
  Sample() {
    row.id = {12, 3};
    row.status = 503;
    row.method = texts.intern("GET");
    row.path = texts.intern("/users/7?x=\"1\"");
    row.route = texts.intern("/users/{}");
    row.comm = texts.intern("nginx");
    row.outcome = Outcome::server_error;
    row.complete = true;
    row.has_duration = row.has_phases = true;
    row.duration = Duration{25'000'000};
    row.first_byte = Duration{-1};
    row.phases[4] = 20'000'000;
    row.response_bytes = 1500;
    row.pid = 42;
    row.taints = static_cast<Taints>(Taint::payload_cut);
  }
  bool operator()(std::string_view expression) {
    columns::ColumnFacts facts(table, row);
    facts.clock = &clock;
    facts.local = texts.intern("10.0.0.1:80");
    facts.split = &split;
    return Filter(expression).matches(facts);
  }
};

TEST(Filter, Comparisons) {
  Sample s;
  for (const char* yes : {"status == 503",
                          "status = 503",
                          "status == 5xx",
                          "status != 4xx",
                          "status >= 5xx",
                          "status > 4xx",
                          "status < 504",
                          "duration > 20ms",
                          "duration_ns > 20000000",
                          "duration <= 0.025s",
                          "duration == 25ms",
                          "method == GET",
                          "path contains \"/users\"",
                          "path contains 'x=\"1\"'",
                          "path matches \"/users/*\"",
                          "route == '/users/{}'",
                          "route == /users/{}",
                          "role == server",
                          "outcome == server_error",
                          "complete",
                          "complete == true",
                          "tls == false",
                          "tainted",
                          "tainted contains payload_cut",
                          "tainted != bytes_lost",
                          "comm == nginx",
                          "pid == 42",
                          "id == 12.3",
                          "response_bytes > 1kB",
                          "response_bytes < 1.5KiB",
                          "phases.work >= 20ms",
                          "first_byte == null",
                          "method != null",
                          "connection == 12",
                          "not tls",
                          "!(status == 200)"})
    EXPECT_TRUE(s(yes)) << yes;
  for (const char* no : {"status == 5", "status == 4xx", "duration < 25ms", "method == get", "path matches /users",
                         "first_byte > 0", "first_byte < 1h", "first_byte != 3ms", "phases.send == 0",
                         "peer == \"1.1\"", "tainted == bytes_lost", "tls", "status == null", "method > POST"})
    EXPECT_FALSE(s(no)) << no;
}

TEST(Filter, WhatOnlyStreamsHave) {
  Sample s;
  for (const char* no : {"flow_control >= 0", "flow_control < 1h", "behind_others >= 0", "stream_limit >= 0",
                         "http2.pushed", "http2.pushed == false", "attempt >= 1", "http2.opened_at_limit == false"})
    EXPECT_FALSE(s(no)) << no;  // no stream
  s.row.stream = 5;
  s.row.protocol = Protocol::http2;
  s.row.response_flow_control = 2'000'000;
  EXPECT_FALSE(s("flow_control > 1ms"));  // the request's windows are unknown
  EXPECT_TRUE(s("response_flow_control > 1ms"));
  s.row.request_flow_control = 1'000'000;
  s.row.behind_others = 30;
  s.row.behind_others_bytes = 1500;
  s.row.stream_limit = 7000;
  s.row.role = Role::client;
  s.row.attempt = 3;
  s.row.attempt_of = {12, 1};
  s.row.attempt_how = AttemptEvidence::grpc_header;
  for (const char* yes : {"flow_control == 3ms", "http2.flow_control_ns == 3000000", "request_flow_control == 1ms",
                          "http2.response_flow_control_ns > 1ms", "behind_others == 30ns",
                          "http2.behind_others_bytes > 1kB", "stream_limit == 7us", "http2.opened_at_limit",
                          "!http2.pushed", "attempt >= 2", "attempt_of == 12.1", "attempt_how == 'grpc header'"})
    EXPECT_TRUE(s(yes)) << yes;
}

TEST(Filter, AllThatJsonSays) {
  Sample s;
  s.row.start = formats::time_from(5'000);
  s.row.at_least = 7'000;
  s.row.tid = s.row.pid = 42 | 1u << formats::kMachineOfPid;  // of the second machine of a merged capture
  s.row.from_peer = static_cast<std::uint8_t>(FromPeer::path);
  s.row.stream = 3;
  s.split = {.out = Duration{10}, .server = Duration{20}, .back = Duration{30}, .error = -1};
  model::Setup setup;
  setup.connect_began = formats::time_from(1'000);
  setup.connect_done = formats::time_from(4'000);
  setup.tls_version = 0x0304;
  setup.tls_resumed = true;
  s.row.setup = &setup;
  EXPECT_FALSE(s("start_ns > 0"));  // no reading of the clock
  s.clock.add(formats::time_from(0), 1'700'000'000'000'000'000, Duration{0});
  for (const char* yes : {"start_ns == 1700000000000005000",
                          "local == 10.0.0.1:80",
                          "remote == null",
                          "service_name == nginx",
                          "service_name_source == process",
                          "duration_at_least == 7us",
                          "machine == 2",
                          "tid == 42",
                          "split.server_ns == 20",
                          "split.error_ns == null",
                          "setup.began_before_ns == 4us",
                          "connect == 3us",
                          "setup.tls_version == 'TLS 1.3'",
                          "setup.tls_resumed",
                          "http2.from_other_end contains path",
                          "http2.from_other_end != method",
                          "span_id != null",
                          "trace_id_source == synthetic",
                          "trace_flags == null",
                          "milestones.response_begun_ns == 20ms",
                          "stream == 3"})
    EXPECT_TRUE(s(yes)) << yes;
}

TEST(Filter, SaysWhatItNeeds) {
  EXPECT_EQ(Filter("status == 200").needs(), 0u);
  EXPECT_EQ(Filter("status == 200 || !(start_ns > 1 && labels.cpu > 1ms)").needs(),
            columns::kClock | columns::kAccount);
  EXPECT_EQ(Filter("local == x").needs(), columns::kEnds);
  EXPECT_EQ(Filter("split.out_ns > 1ms").needs(), columns::kSplit);
  EXPECT_NO_THROW(policy_filter("labels.cpu > 1ms"));
  EXPECT_THROW(policy_filter("status == 200 && service_name == x"), FilterError);
}

// Only what is known at its end cannot be followed; what a made-up id follows from needs all that is read, too.
TEST(Filter, WhatComesLater) {
  EXPECT_EQ(later_field("status == 200 && parent == 1.2"), "parent");
  EXPECT_EQ(later_field("labels.cpu > 1ms"), "labels.cpu");
  EXPECT_EQ(later_field("path == route"), "");  // a value
  EXPECT_EQ(later_field("trace_id == x"), "");
  EXPECT_EQ(unsettled_field("trace_id == x"), "trace_id");
  EXPECT_EQ(unsettled_field("start_ns > 5"), "start_ns");
  EXPECT_EQ(unsettled_field("duration > 5ms"), "");
}

TEST(Filter, Precedence) {
  Sample s;
  EXPECT_TRUE(s("status == 503 || status == 1 && status == 2"));
  EXPECT_FALSE(s("(status == 503 || status == 1) && status == 2"));
  EXPECT_TRUE(s("status == 1 or not status == 2 and complete"));
  EXPECT_FALSE(s("!complete && status == 503"));
  EXPECT_TRUE(s("! ! complete"));
}

std::string message(std::string_view expression) {
  try {
    const Filter f(expression);
  } catch (const FilterError& e) {
    return e.what();
  }
  return "no error";
}

TEST(Filter, ErrorsPointAtThePlace) {
  EXPECT_EQ(message("status == "), "in the filter: a value is missing here\n  status == \n            ^");
  EXPECT_EQ(
      message("method"),
      "in the filter: a comparison is expected after 'method': == != < <= > >= contains matches\n  method\n        ^");
  EXPECT_EQ(message("duration > 20"),
            "in the filter: '20' has no unit: ns, us, ms, s, m or h\n  duration > 20\n             ^");
  EXPECT_EQ(message("(complete"), "in the filter: a ')' is missing here\n  (complete\n           ^");
  EXPECT_EQ(message("path contains 'ü' 'x"),
            "in the filter: this ' is never closed\n  path contains 'ü' 'x\n                    ^");
  EXPECT_NE(message("colour == red").find("There are: id, role"), std::string::npos);
  EXPECT_NE(message("tainted == lost").find("bytes_lost, payload_cut"), std::string::npos);
  for (const char* bad :
       {"", "&&", "status", "status ==== 3", "status contains 5", "complete == 3", "status == abc", "complete complete",
        "a b c", "status == 500 #", "tainted < bytes_lost", "duration < null", ")", "duration > 5kB"})
    EXPECT_NE(message(bad), "no error") << bad;
  EXPECT_EQ(message(std::string_view("status \0 5", 10)),
            "in the filter: '.' means nothing here\n  status . 5\n         ^");
  EXPECT_NE(message(std::string(1000, '(')), "no error");
  EXPECT_NE(message(std::string(100'000, '!')), "no error");
}

TEST(Literal, DurationsAndSizes) {
  EXPECT_EQ(parse_duration("1m30s"), 90'000'000'000);
  EXPECT_EQ(parse_duration("1.5s"), 1'500'000'000);
  EXPECT_EQ(parse_duration("0.1ns"), 0);
  EXPECT_EQ(parse_duration("250µs"), 250'000);
  EXPECT_EQ(parse_duration("0"), 0);
  for (const char* bad : {"", "1", "s", "1.s", "1 s", "-1s", "1e3s", "9999999999999h", "1x", "1s2"})
    EXPECT_FALSE(parse_duration(bad)) << bad;
  EXPECT_EQ(parse_size("10kB"), 10'000);
  EXPECT_EQ(parse_size("1.5MiB"), 1'572'864);
  EXPECT_EQ(parse_size("7"), 7);
  EXPECT_FALSE(parse_size("1kB2"));
  EXPECT_FALSE(parse_number("-1"));
  EXPECT_FALSE(parse_number("99999999999999999999"));
}

}  // namespace
}  // namespace tailcap::query
