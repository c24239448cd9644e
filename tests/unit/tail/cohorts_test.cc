#include "analyze/tail/slow/cohorts.h"

#include <gtest/gtest.h>

namespace tailcap::tail::slow {
namespace {

TEST(CohortPlaces, FewerThanFiveHaveNone) {
  for (const std::size_t n : {0, 1, 4}) {
    const CohortPlaces places = cohort_places(n);
    EXPECT_EQ(places.needed, 5u);
    EXPECT_EQ(places.slow, 0u);
  }
}

TEST(CohortPlaces, NeverTypicalAndSlow) {
  for (std::size_t n = 5; n < 3000; ++n) {
    const CohortPlaces places = cohort_places(n);
    EXPECT_EQ(places.needed, 0u);
    EXPECT_GE(places.slow, 1u);
    EXPECT_LT(places.typical_from, places.typical_to) << n;
    EXPECT_LE(places.typical_to + places.slow, n) << n;
  }
}

TEST(CohortPlaces, AtLeastThreeThenFivePercentThenOne) {
  EXPECT_EQ(cohort_places(5).slow, 1u);
  EXPECT_EQ(cohort_places(15).slow, 3u);
  EXPECT_EQ(cohort_places(60).slow, 3u);
  EXPECT_EQ(cohort_places(200).slow, 10u);
  EXPECT_DOUBLE_EQ(cohort_places(200).from, 0.95);
  EXPECT_EQ(cohort_places(1999).slow, 99u);
  EXPECT_EQ(cohort_places(2000).slow, 20u);
  EXPECT_EQ(cohort_places(2000).from, 0.99);
}

TEST(CohortPlaces, AtMost2000) {
  EXPECT_EQ(cohort_places(200'000).slow, kMaxSlow);
  EXPECT_EQ(cohort_places(1'000'000).slow, kMaxSlow);
  EXPECT_DOUBLE_EQ(cohort_places(1'000'000).from, 0.998);
}

TEST(CohortPlaces, TypicalIsTheMiddleFifth) {
  const CohortPlaces places = cohort_places(205);
  EXPECT_EQ(places.typical_from, 82u);
  EXPECT_EQ(places.typical_to, 123u);
}

}  // namespace
}  // namespace tailcap::tail::slow
