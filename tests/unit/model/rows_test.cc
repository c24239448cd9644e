#include "analyze/model/rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

#include "analyze/model/request.h"

namespace tailcap::model {
namespace {

Request any(std::mt19937_64& random) {
  const auto pick = [&](std::uint64_t limit) {
    const std::uint64_t wide = std::uint64_t{1} << (random() % 63);
    return random() % std::min(limit, wide + 1);
  };
  Request r;
  const auto id32 = [&] { return static_cast<std::uint32_t>(pick(std::uint64_t{1} << 32)); };
  const auto ns = [&] { return static_cast<std::int64_t>(pick(std::uint64_t{1} << 62)); };
  r.id = {id32(), id32()};
  r.peer = {id32(), id32()};
  r.start = formats::time_from(ns());
  r.has_duration = random() % 4 != 0;
  if (r.has_duration) r.duration = Duration{ns()};
  r.first_byte = Duration{ns() - 1};
  r.request_bytes = ns() - 1;
  r.response_bytes = static_cast<std::int64_t>(pick(UINT64_MAX >> 1)) - 1;
  for (TextId* id : {&r.method, &r.path, &r.route, &r.authority, &r.comm, &r.request_id, &r.traceparent}) *id = id32();
  r.pid = id32();
  r.tid = id32();
  r.stream = id32();
  r.taints = static_cast<Taints>(pick(1u << 12));
  r.status = static_cast<std::uint16_t>(pick(1000));
  r.role = static_cast<Role>(random() % 2);
  r.protocol = static_cast<Protocol>(random() % 6);
  r.outcome = static_cast<Outcome>(random() % 10);
  if (r.outcome == Outcome::reset || r.outcome == Outcome::cancelled) r.reset_after = ns() - 1;
  if (is_call(r)) {
    r.grpc_status = static_cast<std::int32_t>(random() % 18) - 1;
    r.grpc = {ns() - 1, ns() - 1, ns() - 1, random() % 2 != 0, static_cast<GrpcContext>(random() % 4), id32()};
  }
  r.complete = random() % 2 != 0;
  r.has_phases = random() % 2 != 0;
  if (r.has_phases)
    for (auto& p : r.phases) p = random() % 2 ? ns() : 0;
  if (random() % 2 != 0) r.request_flow_control = random() % 2 ? ns() : 0;
  if (random() % 2 != 0) r.response_flow_control = random() % 2 ? ns() : 0;
  if (random() % 8 == 0) {
    r.behind_others = ns();
    r.behind_others_bytes = ns();
  }
  if (random() % 8 == 0) r.stream_limit = ns();
  r.pushed = random() % 8 == 0;
  r.trace_format = static_cast<TraceFormat>(random() % 10);
  if (random() % 8 == 0) {
    r.attempt = 1 + static_cast<std::uint32_t>(pick(1u << 30));
    r.attempt_of = {id32(), id32()};
    r.attempt_how = static_cast<AttemptEvidence>(random() % 4);
  }
  if (random() % 8 == 0) r.at_least = ns();
  if (random() % 8 == 0) r.from_peer = static_cast<std::uint8_t>(random());
  return r;
}

TEST(Rows, GiveBackWhatTheyWereGiven) {
  std::mt19937_64 random(8);
  Rows rows;
  std::vector<Request> truth;
  for (int i = 0; i < 20'000; ++i) {
    truth.push_back(any(random));
    rows.push_back(truth.back());
  }
  for (int i = 0; i < 2'000; ++i) {
    const std::size_t at = random() % truth.size();
    truth[at] = any(random);
    rows.set(at, truth[at]);
  }
  for (std::size_t k = 0; k < truth.size(); ++k) {
    const Request& t = truth[k];
    ASSERT_TRUE(rows.role(k) == t.role && rows.protocol(k) == t.protocol && rows.outcome(k) == t.outcome) << k;
    ASSERT_TRUE(rows.status(k) == t.status && rows.complete(k) == t.complete && rows.has_phases(k) == t.has_phases);
    ASSERT_TRUE(rows.has_rare(k) || (t.attempt == 0 && t.stream_limit < 0 && !t.pushed)) << k;
    const RowNames names = rows.names(k);
    ASSERT_TRUE(names.method == t.method && names.path == t.path && names.authority == t.authority) << k;
    ASSERT_TRUE(names.comm == t.comm && names.pid == t.pid) << k;
  }
  ASSERT_EQ(rows.size(), truth.size());
  ASSERT_TRUE(std::equal(rows.begin(), rows.end(), truth.begin()));
  EXPECT_EQ(rows.back(), truth.back());
}

TEST(Rows, PartsWithoutUnpacking) {
  std::mt19937_64 random(9);
  Rows rows;
  Request r = any(random);
  r.has_duration = true;
  r.duration = Duration{0};
  rows.push_back(r);
  EXPECT_EQ(rows.id(0), r.id);
  EXPECT_EQ(rows.start(0), r.start);
  EXPECT_TRUE(rows.has_duration(0));
  r.peer = {5, 6};
  r.route = 77;
  r.taints |= 1u << 9;
  rows.set_peer(0, r.peer);
  rows.set_route(0, r.route);
  rows.add_taints(0, 1u << 9);
  EXPECT_EQ(rows[0], r);
}

TEST(Rows, PermuteAndKeep) {
  std::mt19937_64 random(10);
  Rows rows;
  std::vector<Request> truth;
  for (int i = 0; i < 10'000; ++i) rows.push_back(truth.emplace_back(any(random)));
  std::vector<std::uint32_t> from(truth.size());
  std::iota(from.begin(), from.end(), 0u);
  std::shuffle(from.begin(), from.end(), random);
  rows.permute(from);
  for (std::size_t i = 0; i < from.size(); ++i) ASSERT_EQ(rows[i], truth[from[i]]);
  std::vector<std::uint32_t> odd;
  for (std::uint32_t i = 1; i < truth.size(); i += 2) odd.push_back(i);
  rows.keep(odd);
  ASSERT_EQ(rows.size(), odd.size());
  for (std::size_t i = 0; i < odd.size(); ++i) ASSERT_EQ(rows[i], truth[from[odd[i]]]);
  rows.keep({});
  EXPECT_TRUE(rows.empty());
  rows.push_back(truth[0]);
  EXPECT_EQ(rows[0], truth[0]);
}

}  // namespace
}  // namespace tailcap::model
