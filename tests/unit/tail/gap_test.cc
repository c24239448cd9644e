// Where slow requests are of another kind, from durations whose truth is known.
#include "analyze/tail/slow/gap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "analyze/tail/slow/cohorts.h"

namespace tailcap::tail::slow {
namespace {

class Draw {
 public:
  explicit Draw(std::uint64_t seed) : random_(seed) {}
  double lognormal(double median, double sigma) { return median * std::exp(sigma * normal_(random_)); }
  double uniform() { return std::uniform_real_distribution<>(0, 1)(random_); }
  double exponential() { return std::exponential_distribution<>()(random_); }

 private:
  std::mt19937_64 random_;
  std::normal_distribution<> normal_;
};

std::vector<std::int64_t> sorted_of(std::size_t n, const std::function<double(std::size_t)>& ms) {
  std::vector<std::int64_t> out;
  for (std::size_t i = 0; i < n; ++i) out.push_back(std::llround(1e6 * ms(i)));
  std::sort(out.begin(), out.end());
  return out;
}

TEST(Heads, AsInTables) {
  EXPECT_NEAR(heads(10, 9), 11.0 / 1024, 1e-12);
  EXPECT_NEAR(heads(20, 20), std::pow(0.5, 20), 1e-15);
  EXPECT_EQ(heads(10, 5), 1);
  EXPECT_EQ(heads(0, 0), 1);
  // Beyond the exact ones an upper bound.
  EXPECT_LE(heads(2000, 1200), 1e-17);
  EXPECT_GT(heads(2000, 1010), 0.3);
}

// The rate that gap.h states, over all distributions together and over each: 1 %.
void expect_none(const char* name, const std::function<double(Draw&, double)>& ms) {
  Draw draw(7);
  std::size_t wrong = 0, samples = 0;
  for (const std::size_t n : {60u, 200u, 1000u, 4000u})
    for (int run = 0; run < 150; ++run, ++samples) {
      const double shape = draw.uniform();
      wrong += beyond_gap(sorted_of(n, [&](std::size_t) { return ms(draw, shape); })) > 0;
    }
  EXPECT_LE(wrong, samples / 100) << name << ", of " << samples;
}

TEST(Gap, OneKindHasNone) {
  expect_none("lognormal", [](Draw& d, double shape) { return d.lognormal(10, 0.2 + 1.3 * shape); });
  expect_none("exponential", [](Draw& d, double) { return 10 * d.exponential() + 1e-3; });
  expect_none("pareto", [](Draw& d, double shape) { return 10 * std::pow(1 - d.uniform(), -0.2 - 0.6 * shape); });
  expect_none("uniform", [](Draw& d, double shape) { return 5 + 100 * shape * d.uniform(); });
  expect_none("a floor and a wait", [](Draw& d, double) { return 5 + d.exponential(); });
}

// Hits and misses of a cache: what lies beyond the slower of two ordinary kinds is their spread.
TEST(Gap, TwoOrdinaryKindsHaveNoneBeyondThem) {
  expect_none("half of them three times as slow", [](Draw& d, double shape) {
    return d.uniform() < 0.45 ? d.lognormal(10, 0.3) : d.lognormal(30, 0.2 + 0.5 * shape);
  });
  expect_none("a third of them hardly slower", [](Draw& d, double shape) {
    return d.uniform() < 0.67 ? d.lognormal(10, 0.3) : d.lognormal(14, 0.2 + 0.3 * shape);
  });
}

// 2 % sleep, 2 % wait for something else for a third of that; 1 in 200 of the others is late and lies in the gap.
TEST(Gap, BothCausesLieBeyondIt) {
  std::size_t found = 0;
  for (std::uint64_t run = 0; run < 100; ++run) {
    Draw draw(run);
    const auto durations = sorted_of(2000, [&](std::size_t i) {
      if (i % 50 == 0) return 300 + draw.lognormal(10, 0.3);
      if (i % 50 == 1) return draw.lognormal(100, 0.2);
      return draw.lognormal(10, 0.3) + (i % 200 == 2 ? 15 + 10 * draw.uniform() : 0);
    });
    const std::size_t beyond = beyond_gap(durations);
    found += beyond >= 78 && beyond <= 92;
  }
  EXPECT_GE(found, 90u);
}

TEST(Gap, FewBeyondAnEmptyOne) {
  Draw draw(3);
  std::size_t found = 0;
  for (int run = 0; run < 100; ++run) {
    const auto durations =
        sorted_of(400, [&](std::size_t i) { return i % 80 == 0 ? draw.lognormal(90, 0.1) : draw.lognormal(10, 0.3); });
    found += beyond_gap(durations) == 5;
  }
  EXPECT_GE(found, 95u);
}

TEST(Gap, AMinorityOnly) {
  Draw draw(4);
  EXPECT_EQ(beyond_gap(sorted_of(1000, [&](std::size_t i) { return draw.lognormal(i % 5 < 3 ? 100 : 10, 0.1); })), 0u);
  EXPECT_EQ(beyond_gap(sorted_of(1000, [&](std::size_t i) { return draw.lognormal(i % 5 < 2 ? 100 : 10, 0.1); })),
            400u);
  EXPECT_EQ(beyond_gap(sorted_of(19, [&](std::size_t i) { return i < 6 ? 100.0 : 10.0; })), 0u);
}

TEST(Gap, IsTheCohort) {
  Draw draw(5);
  const auto durations = sorted_of(2000, [&](std::size_t i) { return draw.lognormal(i % 25 == 0 ? 200 : 10, 0.2); });
  const CohortPlaces places = cohort_places(durations);
  EXPECT_TRUE(places.gap);
  EXPECT_EQ(places.slow, 80u);
  EXPECT_DOUBLE_EQ(places.from, 0.96);
  EXPECT_EQ(places.typical_from, 768u);  // of those that are not slow
  EXPECT_EQ(places.typical_to, 1152u);
  EXPECT_FALSE(cohort_places(sorted_of(2000, [&](std::size_t) { return draw.lognormal(10, 0.2); })).gap);
}

}  // namespace
}  // namespace tailcap::tail::slow
