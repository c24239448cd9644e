#include "analyze/causes/attempts.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace tailcap::causes {
namespace {

using namespace std::chrono_literals;
using formats::Duration;
using model::Outcome;

constexpr model::Time kBegin = formats::time_from(1'000'000'000);

// Requests of one client in order of their start; the exchanges are passed on in that order.
struct Calls {
  model::RequestTable table;
  Attempts attempts;
  std::uint32_t next = 1;

  struct What {
    std::string path = "/x", id = {}, previous = {};
    std::uint32_t pid = 7;
    std::int64_t bytes = 0;
    bool refused = false;
    Outcome outcome = Outcome::ok;
    Duration lasts = 1ms;
  };
  std::size_t add(Duration at, What what) {
    model::Exchange e;
    e.id = {1, next++};
    e.role = model::Role::client;
    e.protocol = what.previous.empty() ? model::Protocol::http2 : model::Protocol::grpc;
    e.stream = 2 * e.id.index - 1;
    e.request.first_done = e.request.last_done = kBegin + at;
    e.outcome = what.outcome;
    if (!what.previous.empty()) e.request_headers.add("grpc-previous-rpc-attempts", what.previous);
    if (what.refused) {
      e.outcome = Outcome::reset;
      e.reset = model::StreamReset{};
      e.reset->unprocessed = true;
      e.reset->at = kBegin + at + what.lasts;
    }
    attempts.push(e, false);
    model::Request r;
    r.id = e.id;
    r.role = e.role;
    r.protocol = e.protocol;
    r.stream = e.stream;
    r.outcome = e.outcome;
    r.start = kBegin + at;
    r.has_duration = !what.refused && what.lasts.count() > 0;
    r.duration = what.lasts;
    r.pid = what.pid;
    r.request_bytes = what.bytes;
    r.method = table.texts.intern("GET");
    r.path = table.texts.intern(what.path);
    r.authority = table.texts.intern("a");
    if (!what.id.empty()) r.request_id = table.texts.append(what.id);
    table.rows.push_back(r);
    return table.rows.size() - 1;
  }
  // "2<1.1" for the second attempt of 1.1; "0" if unknown.
  std::vector<std::string> told() {
    attempts.settle(table);
    std::vector<std::string> out;
    for (const auto r : table.rows)
      out.push_back(std::to_string(r.attempt) +
                    (r.attempt_of.connection
                         ? "<" + std::to_string(r.attempt_of.connection) + "." + std::to_string(r.attempt_of.index)
                         : ""));
    return out;
  }
};
using Told = std::vector<std::string>;

TEST(Attempts, RefusedThreeTimes) {
  Calls c;
  c.add(0ms, {.refused = true});
  c.add(10ms, {.refused = true});
  c.add(30ms, {.refused = true});
  c.add(70ms, {});
  EXPECT_EQ(c.told(), (Told{"1", "2<1.1", "3<1.1", "4<1.1"}));
}

TEST(Attempts, OnlyTheSameRequestCounts) {
  Calls c;
  c.add(0ms, {.bytes = 10, .refused = true});
  c.add(5ms, {.path = "/y", .bytes = 10});
  c.add(6ms, {.pid = 8, .bytes = 10});
  c.add(7ms, {.bytes = 9});               // a shorter body
  c.add(8ms, {.id = "r1", .bytes = 10});  // the refused attempt had no x-request-id
  EXPECT_EQ(c.told(), (Told{"0", "0", "0", "0", "0"}));
}

TEST(Attempts, NotBeforeItWasRefusedAndNotMuchLater) {
  Calls c;
  c.add(0ms, {.refused = true, .lasts = 20ms});
  c.add(10ms, {});    // concurrent
  c.add(1021ms, {});  // more than a second after
  EXPECT_EQ(c.told(), (Told{"0", "0", "0"}));
}

TEST(Attempts, TwoRefusedAndTwoMadeAreNotTold) {
  Calls c;
  c.add(0ms, {.refused = true, .lasts = 5ms});
  c.add(1ms, {.refused = true, .lasts = 5ms});
  c.add(10ms, {});
  c.add(11ms, {});
  EXPECT_EQ(c.told(), (Told{"0", "0", "0", "0"}));
}

TEST(Attempts, RequestIdsTellAlikeRequestsApart) {
  Calls c;
  c.add(0ms, {.id = "a", .refused = true, .lasts = 5ms});
  c.add(1ms, {.id = "b", .refused = true, .lasts = 5ms});
  c.add(10ms, {.id = "b"});
  c.add(11ms, {.id = "a"});
  c.add(12ms, {.id = "c"});
  EXPECT_EQ(c.told(), (Told{"1", "1", "2<1.2", "2<1.1", "0"}));
}

TEST(Attempts, GrpcNumbersAreCertainAndTheCallOnlyWhereOneIsMeant) {
  Calls c;
  c.add(0ms, {.path = "/s/A", .outcome = Outcome::server_error});
  c.add(5ms, {.path = "/s/A", .outcome = Outcome::ok});
  c.add(10ms, {.path = "/s/A", .previous = "1"});
  EXPECT_EQ(c.told(), (Told{"1", "0", "2<1.1"}));
  Calls two;
  two.add(0ms, {.path = "/s/A", .outcome = Outcome::server_error});
  two.add(5ms, {.path = "/s/A", .outcome = Outcome::server_error});
  two.add(10ms, {.path = "/s/A", .previous = "1"});
  two.add(11ms, {.path = "/s/B", .previous = "4"});  // the others were not recorded
  EXPECT_EQ(two.told(), (Told{"0", "0", "2", "5"}));
}

TEST(Attempts, NumbersThatAreNone) {
  Calls c;
  c.add(0ms, {.outcome = Outcome::server_error});
  for (const char* n : {"0", "-1", "x", "1x", "99999999999", "4294967295"}) c.add(10ms, {.previous = n});
  EXPECT_EQ(c.told(), Told(7, "0"));
}

TEST(Attempts, WhatIsNotedIsBounded) {
  Calls c;
  for (std::size_t i = 0; i < Attempts::kMaxNoted + 1000; ++i)
    c.add(std::chrono::microseconds{i}, {.path = "/" + std::to_string(i), .refused = true, .lasts = 1us});
  const std::size_t late = c.add(1s, {.path = "/" + std::to_string(Attempts::kMaxNoted + 999)});
  EXPECT_EQ(c.told()[late], "0");
}

}  // namespace
}  // namespace tailcap::causes
