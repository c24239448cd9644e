// Why a route became slower, in a sentence: what is certain, or what most of it is.
#include "analyze/report/compare/compare_words.h"

#include <gtest/gtest.h>

#include "analyze/model/label.h"

namespace tailcap::report {
namespace {

using model::Label;
using model::gate::AccountRow;
using model::gate::Metric;
using model::gate::RouteComparison;

// The slowest requests take 20 ms instead of 10.
RouteComparison slower(std::vector<AccountRow> rows) {
  RouteComparison out;
  out.metrics.push_back({{Metric::Kind::p99}, {}});
  out.metrics.back().estimate.known = true;
  out.metrics.back().estimate.p_two = 0.001;
  out.slow = {true, 10'000'000, 20'000'000, std::move(rows)};
  return out;
}

AccountRow row(Label label, std::int64_t more, double p) {
  AccountRow out{static_cast<std::size_t>(label), 1'000'000, 1'000'000 + more, {}};
  out.estimate.known = true;
  out.estimate.p_two = p;
  return out;
}

std::string why(std::vector<AccountRow> rows) { return why_text(slower(std::move(rows)), {Metric::Kind::p99}); }

TEST(WhyItIsSlower, NamesWhatIsCertain) {
  EXPECT_EQ(why({row(Label::timer_sleep, 7'000'000, 0.3), row(Label::lock_futex, 3'000'000, 0.01)}),
            "the slowest 1 % take +10.0 ms, of it +3.00 ms waiting for a lock");
}

TEST(WhyItIsSlower, WhereNothingIsCertainItNamesWhatMostOfItIs) {
  EXPECT_EQ(why({row(Label::timer_sleep, 7'000'000, 0.3), row(Label::lock_futex, 3'000'000, 0.2)}),
            "the slowest 1 % take +10.0 ms, most of it +7.00 ms sleeping, which is uncertain: the runs differ");
}

TEST(WhyItIsSlower, SaysWhatBecameLessWhereAPartIsMoreThanTheWhole) {
  EXPECT_EQ(why({row(Label::timer_sleep, 13'000'000, 0.01), row(Label::lock_futex, -3'000'000, 0.2)}),
            "the slowest 1 % take +10.0 ms: +13.0 ms sleeping; −3.00 ms everything else");
  EXPECT_EQ(why({row(Label::timer_sleep, 13'000'000, 0.3), row(Label::lock_futex, -3'000'000, 0.2)}),
            "the slowest 1 % take +10.0 ms: +13.0 ms sleeping, which is uncertain: the runs differ; −3.00 ms "
            "everything else");
}

TEST(WhyItIsSlower, NamesNothingThatIsSmallOrGoesTheOtherWay) {
  EXPECT_EQ(why({row(Label::timer_sleep, 4'000'000, 0.3), row(Label::lock_futex, -9'000'000, 0.01)}), "");
}

TEST(WhyItIsSlower, NamesNothingWhereTheMetricItselfIsUncertain) {
  RouteComparison route = slower({row(Label::timer_sleep, 9'000'000, 0.01)});
  route.metrics.back().estimate.p_two = 0.2;
  EXPECT_EQ(why_text(route, {Metric::Kind::p99}), "");
}

}  // namespace
}  // namespace tailcap::report
