#include "analyze/compare/welch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "analyze/compare/several_tests.h"
#include "analyze/model/statistics/t_distribution.h"

namespace tailcap::compare {
namespace {

using model::t_above;
using model::t_quantile;

// Tables of Student's t, 0.95 and 0.975.
TEST(TDistribution, QuantilesOfTheTable) {
  EXPECT_NEAR(t_quantile(0.95, 1), 6.313752, 1e-5);
  EXPECT_NEAR(t_quantile(0.95, 8), 1.859548, 1e-6);
  EXPECT_NEAR(t_quantile(0.975, 4), 2.776445, 1e-6);
  EXPECT_NEAR(t_quantile(0.8, 8), 0.888890, 1e-6);
  EXPECT_NEAR(t_quantile(0.05, 8), -1.859548, 1e-6);
}

TEST(TDistribution, ProbabilitiesAreTheReverse) {
  for (const double df : {1.0, 2.5, 8.0, 100.0})
    for (const double p : {0.01, 0.2, 0.5, 0.95}) EXPECT_NEAR(t_above(t_quantile(p, df), df), 1 - p, 1e-9) << df;
  // The Cauchy distribution: P(T > 1) is a quarter.
  EXPECT_NEAR(t_above(1, 1), 0.25, 1e-12);
}

// By hand: means 3 and 6, variances 2.5 and 10, so se² = 0.5 + 2 and df = 2.5² / (0.5²/4 + 2²/4).
TEST(Welch, ByHand) {
  const std::vector<double> base = {1, 2, 3, 4, 5}, fresh = {2, 4, 6, 8, 10};
  const Effect e = welch(base, fresh);
  EXPECT_DOUBLE_EQ(e.difference, 3);
  EXPECT_NEAR(e.se, 1.5811388, 1e-6);
  EXPECT_NEAR(e.df, 6.25 / (0.0625 + 1), 1e-9);
  EXPECT_NEAR(e.p_two(), 2 * e.p_above(), 1e-12);
  EXPECT_NEAR(e.p_above(), t_above(3 / 1.5811388, 5.882353), 1e-6);
  EXPECT_NEAR(e.bound(0.5), 3, 1e-9);
  EXPECT_GT(e.bound(0.95), 3);
  EXPECT_NEAR(e.bound(0.95) + e.bound(0.05), 6, 1e-9);
}

TEST(Welch, DetectableIsTwoQuantiles) {
  const std::vector<double> base = {1, 2, 3, 4, 5};
  const Effect e = welch(base, base);
  EXPECT_DOUBLE_EQ(e.df, 8);
  EXPECT_NEAR(e.detectable(0.05), (1.859548 + 0.888890) * e.se, 1e-5);
  EXPECT_GT(e.detectable(0.01), e.detectable(0.05));
}

TEST(Welch, FloorsReplaceSmallerVariances) {
  const std::vector<double> zeros = {0, 0, 0, 0}, ones = {1, 1, 1, 1};
  EXPECT_TRUE(welch(zeros, ones).point());
  EXPECT_EQ(welch(zeros, ones).p_above(), 0);
  EXPECT_EQ(welch(ones, zeros).p_above(), 1);
  const Effect e = welch(zeros, ones, 4, 4);
  EXPECT_NEAR(e.se, 1.414214, 1e-6);  // 4/4 + 4/4
  EXPECT_DOUBLE_EQ(e.df, 6);
}

// By hand: differences 1, 2, 3, 4, 5, so se² = 2.5 / 5.
TEST(Paired, ByHand) {
  const std::vector<double> base = {10, 20, 30, 40, 50}, fresh = {11, 22, 33, 44, 55};
  const Effect e = paired(base, fresh);
  EXPECT_DOUBLE_EQ(e.difference, 3);
  EXPECT_NEAR(e.se, 0.7071068, 1e-6);
  EXPECT_DOUBLE_EQ(e.df, 4);
  EXPECT_NEAR(paired(base, fresh, 10).se, 1.414214, 1e-6);
}

// By hand: own se² = 2.5 with df 5.88, further 2 with df 7.
TEST(Widened, ByHand) {
  const std::vector<double> base = {1, 2, 3, 4, 5}, fresh = {2, 4, 6, 8, 10};
  const Effect own = welch(base, fresh), e = widened(own, 2, 7);
  EXPECT_DOUBLE_EQ(e.difference, 3);
  EXPECT_NEAR(e.se, 2.1213203, 1e-6);
  EXPECT_NEAR(e.df, 4.5 * 4.5 / (6.25 / 5.882353 + 4.0 / 7), 1e-5);
  // Known for certain: only the own part is uncertain.
  EXPECT_NEAR(widened(own, 2, HUGE_VAL).df, 4.5 * 4.5 / (6.25 / 5.882353), 1e-5);
  // Equal values leave nothing but the further part.
  const std::vector<double> same = {1, 1, 1};
  EXPECT_NEAR(widened(welch(same, same), 2, 7).df, 7, 1e-9);
}

// 0.1 has no exact representation: the mean of equal values is not quite that value.
TEST(Welch, EqualValuesHaveNoVariance) {
  const std::vector<double> same(7, 0.1);
  EXPECT_EQ(variance_of(same), 0);
}

// Holm's own example of the literature: p = 0.01, 0.04, 0.03, 0.005.
TEST(SeveralTests, Holm) {
  const std::vector<double> p = {0.01, 0.04, 0.03, 0.005};
  const auto adjusted = holm(p);
  EXPECT_NEAR(adjusted[0], 0.03, 1e-12);
  EXPECT_NEAR(adjusted[1], 0.06, 1e-12);
  EXPECT_NEAR(adjusted[2], 0.06, 1e-12);
  EXPECT_NEAR(adjusted[3], 0.02, 1e-12);
  EXPECT_TRUE(holm({}).empty());
  EXPECT_DOUBLE_EQ(holm(std::vector<double>{0.9, 0.8})[0], 1);
}

// What R's p.adjust gives with method BH.
TEST(SeveralTests, BenjaminiHochberg) {
  const std::vector<double> p = {0.01, 0.04, 0.03, 0.005};
  const auto adjusted = benjamini_hochberg(p);
  EXPECT_NEAR(adjusted[0], 0.02, 1e-12);
  EXPECT_NEAR(adjusted[1], 0.04, 1e-12);
  EXPECT_NEAR(adjusted[2], 0.04, 1e-12);
  EXPECT_NEAR(adjusted[3], 0.02, 1e-12);
}

}  // namespace
}  // namespace tailcap::compare
