// Two captures side by side: a planted change is named, of two recordings of one service nothing is named.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>

#include "analyze/compare/sides/diff.h"
#include "tests/unit/compare/run_case.h"

namespace tailcap::tests::sides_test {
namespace {

using model::difference::CaptureSide;
using model::difference::Contrast;
using model::difference::Difference;
using model::gate::Count;
using model::gate::Metric;
using Kind = Metric::Kind;

constexpr auto kCalls = static_cast<std::size_t>(Count::calls);

// What a route does: waits for a timer, computes, waits for a CPU, calls.
struct Behaviour {
  double sleep_ms = 3, cpu_ms = 0.5, runq_ms = 0.1;
  double failed = 0;       // share
  int calls = 0;           // of "GET /stock", in every request
  double other_calls = 0;  // chance of one of "GET /other"
  Label waits = Label::timer_sleep;
};

struct Recording {
  CaptureSide side;
  std::mt19937_64 random;
  double per_second = 40, seconds = 10;
  double machine = 1;  // as slow is everything of it

  Recording(int number, double drift = 0.04) : random(static_cast<std::uint64_t>(number)) {
    side.run = run_at(100 * number, seconds);
    side.run.file = "capture" + std::to_string(number);
    machine = std::exp(drift * std::normal_distribution<>()(random));
  }

  void add(const std::string& name, const Behaviour& of) {
    RouteRun& route = add_route(side.run, name);
    route.decorrelation = 0.05;
    const auto n = static_cast<int>(per_second * seconds);
    std::normal_distribution<> normal;
    std::uniform_real_distribution<> uniform;
    std::uint64_t stock = 0, other = 0;
    std::vector<std::array<int, 3>> made;
    for (int i = 0; i < n; ++i) {
      const auto part = [&](double ms, double spread) {
        return std::llround(1e6 * ms * machine * std::exp(spread * normal(random)));
      };
      RunObservation o;
      o.id = {static_cast<std::uint32_t>(1 + i % 8), static_cast<std::uint32_t>(i)};
      o.start = static_cast<std::int64_t>(i * 1e9 / per_second);
      o.accounts_at = static_cast<std::uint32_t>(route.accounts.size());
      o.accounts_n = 3;
      o.duration = 0;
      for (const auto& [label, ns] : {std::pair{of.waits, part(of.sleep_ms, 0.05)},
                                      {Label::cpu, part(of.cpu_ms, 0.2)},
                                      {Label::sched_runq, part(of.runq_ms, 0.8)}}) {
        route.accounts.emplace_back(static_cast<std::uint8_t>(label), ns);
        o.duration += ns;
      }
      o.failed = uniform(random) < of.failed;
      const int also = uniform(random) < of.other_calls;
      o.counts[kCalls] = of.calls + also;
      stock += static_cast<std::uint64_t>(of.calls);
      other += static_cast<std::uint64_t>(also);
      made.push_back({i, of.calls, also});
      route.requests.push_back(o);
      ++side.run.requests;
    }
    if (stock > 0) route.callees.emplace_back("GET /stock", stock);
    if (other > 0) route.callees.emplace_back("GET /other", other);
    for (const auto& [request, first, second] : made) {
      std::uint32_t callee = 0;
      for (const int calls : {first, second}) {
        if (calls > 0)
          route.made.push_back(
              {static_cast<std::uint32_t>(request), stock > 0 ? callee : 0u, static_cast<std::uint32_t>(calls)});
        ++callee;
      }
    }
    side.facts.emplace_back();
  }
};

struct Two {
  Recording a, b;
  explicit Two(int number, double drift = 0.04) : a(2 * number, drift), b(2 * number + 1, drift) {}
  Difference diff() const { return compare::diff(a.side, b.side); }
};

std::string first_route(const Difference& d) {
  return d.changes.empty() ? "" : d.routes[d.changes.front().route].name.route;
}

TEST(Sides, EqualRecordingsHaveNoChange) {
  int named = 0;
  for (int i = 0; i < 100; ++i) {
    Two two(i);
    for (Recording* side : {&two.a, &two.b}) {
      side->add("/items", {});
      side->add("/pay", {.sleep_ms = 8, .calls = 1, .other_calls = 0.3});
      side->add("/bill", {.sleep_ms = 0.1, .cpu_ms = 4, .failed = 0.01});
    }
    named += !two.diff().changes.empty();
  }
  EXPECT_LE(named, 5);
}

TEST(Sides, ASlowerRouteIsNamedWithItsLabel) {
  int first = 0, covered = 0;
  for (int i = 0; i < 50; ++i) {
    Two two(1000 + i);
    for (Recording* side : {&two.a, &two.b}) {
      side->add("/pay", {.sleep_ms = 8});
      side->add("/items", {.sleep_ms = side == &two.b ? 23.0 : 3.0});
    }
    const Difference d = two.diff();
    first += d.changes.size() == 1 && first_route(d) == "/items";
    if (d.changes.empty()) continue;
    const auto& route = d.routes[d.changes.front().route];
    EXPECT_EQ(route.labels.front().metric.which, static_cast<std::uint8_t>(Label::timer_sleep));
    const Contrast* own = route.find(Kind::own_mean);
    ASSERT_TRUE(own && own->known);
    const double truth = 23.5 / 3.5 - 1;
    covered += own->low <= truth && truth <= own->high;
  }
  EXPECT_EQ(first, 50);
  EXPECT_GE(covered, 45);
}

TEST(Sides, WaitsForACpuAreNoChange) {
  Two two(2000);
  two.a.add("/items", {.runq_ms = 0.1});
  two.b.add("/items", {.runq_ms = 20});
  const Difference d = two.diff();
  EXPECT_TRUE(d.changes.empty());
  EXPECT_GT(d.sides[1].cpu_waits, 10 * d.sides[0].cpu_waits);
}

TEST(Sides, OneMoreCallIsExact) {
  Two two(3000);
  two.a.add("/pay", {.calls = 1});
  two.b.add("/pay", {.calls = 2});
  const Difference d = two.diff();
  ASSERT_EQ(d.changes.size(), 1u);
  const Contrast* calls = d.routes.front().find(Kind::count, static_cast<std::uint8_t>(kCalls));
  ASSERT_TRUE(calls && calls->changed);
  EXPECT_TRUE(calls->exact);
  EXPECT_EQ(calls->low, 1);
  EXPECT_EQ(calls->high, 1);
}

TEST(Sides, ANewCalleeIsNamedAndARareOneIsNot) {
  Two often(4000), rare(4001);
  often.a.add("/pay", {.calls = 1});
  often.b.add("/pay", {.calls = 1, .other_calls = 0.4});
  const Difference d = often.diff();
  ASSERT_EQ(d.changes.size(), 1u);
  EXPECT_EQ(d.routes.front().callees.front().callee, "GET /other");
  EXPECT_TRUE(d.routes.front().callees.front().per_request.changed);
  EXPECT_EQ(d.routes.front().callees.front().calls[0], 0u);
  rare.a.add("/pay", {.calls = 1});
  rare.b.add("/pay", {.calls = 1, .other_calls = 0.004});
  EXPECT_TRUE(rare.diff().changes.empty());
}

TEST(Sides, CallsOfUnknownParentsHideASmallerChange) {
  Two two(4100);
  two.a.add("/pay", {.calls = 1});
  two.b.add("/pay", {.calls = 2});
  two.b.side.run.undecided_calls = two.b.side.run.requests + 1;
  EXPECT_TRUE(two.diff().changes.empty());
}

TEST(Sides, FailuresComeFirst) {
  Two two(5000);
  for (Recording* side : {&two.a, &two.b}) {
    side->add("/items", {.sleep_ms = side == &two.b ? 4.9 : 3.0});
    side->add("/pay", {.sleep_ms = 8, .failed = side == &two.b ? 0.5 : 0.0});
  }
  EXPECT_EQ(first_route(two.diff()), "/pay");
}

TEST(Sides, ACallerPointsToTheRouteThatItCalls) {
  Two two(6000);
  for (Recording* side : {&two.a, &two.b}) {
    const double stock = side == &two.b ? 30 : 3;
    side->add("/pay", {.sleep_ms = stock + 1, .calls = 1, .waits = Label::down_wait});
    side->add("/stock", {.sleep_ms = stock});
  }
  const Difference d = two.diff();
  ASSERT_EQ(d.changes.size(), 2u);
  EXPECT_EQ(first_route(d), "/stock");
  EXPECT_EQ(d.changes[1].explained_by, 0);
  EXPECT_EQ(d.changes[0].explained_by, -1);
}

TEST(Sides, AnotherLoadWidensTheIntervals) {
  Two equal(7000), other(7000);
  for (Two* two : {&equal, &other}) {
    if (two == &other) two->b.per_second *= 3;
    two->a.add("/items", {});
    two->b.add("/items", {});
  }
  const Difference e = equal.diff(), o = other.diff();
  const Contrast &same = *e.routes.front().find(Kind::own_mean), &more = *o.routes.front().find(Kind::own_mean);
  EXPECT_GT(more.high - more.low, 1.3 * (same.high - same.low));
}

TEST(Sides, OneCaptureIsTheSame) {
  Two two(8000);
  two.a.add("/items", {});
  const Difference d = compare::diff(two.a.side, two.a.side);
  EXPECT_TRUE(d.same);
  EXPECT_TRUE(d.changes.empty());
  two.b.add("/items", {});
  EXPECT_FALSE(two.diff().same);
  CaptureSide part = two.a.side;
  part.part = "before 5s";
  EXPECT_FALSE(compare::diff(part, two.a.side).same);
}

TEST(Sides, RoutesOfOneSideAreListed) {
  Two two(9000);
  two.a.add("/items", {});
  two.a.add("/old", {});
  two.b.add("/items", {});
  const Difference d = two.diff();
  ASSERT_EQ(d.routes.size(), 2u);
  EXPECT_TRUE(d.routes[1].one_sided());
  EXPECT_EQ(d.routes[1].missing, "only A has such requests");
  EXPECT_TRUE(d.changes.empty());
}

TEST(Sides, FewRequestsAreNotCompared) {
  Two two(9100);
  two.b.seconds = 0.5;  // 20 requests
  two.a.add("/items", {});
  two.b.add("/items", {.sleep_ms = 100});
  const Difference d = two.diff();
  EXPECT_EQ(d.compared, 0u);
  EXPECT_EQ(d.routes.front().missing, "20 requests of B with a duration: 30 are needed");
}

}  // namespace
}  // namespace tailcap::tests::sides_test
