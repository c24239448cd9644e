#include <cmath>
#include <random>
#include <set>
#include <string>

#include "analyze/series/counter.h"
#include "analyze/series/growth.h"
#include "analyze/series/hyperloglog.h"

namespace tailcap::series {
namespace {

using model::Census;
using model::SeriesChange;

const model::Dimension& dimension(const Census& census, std::string_view name) {
  for (const auto& d : census.dimensions)
    if (d.name == name) return d;
  throw std::out_of_range(std::string(name));
}

const model::ChangeEffect* effect(const model::Dimension& d, SeriesChange change) {
  for (const auto& e : d.effects)
    if (e.change == change) return &e;
  return nullptr;
}

TEST(HyperLogLog, EstimatesLieWithinThreeStandardErrorsOfExactNumbers) {
  HyperLogLog sketch;
  std::size_t next = 1, outside = 0, looks = 0;
  for (std::size_t n = 1; n <= 2'000'000; ++n) {
    sketch.add("pod-" + std::to_string(n * 2654435761u));
    if (n != next) continue;
    next = next * 5 / 4 + 1;
    ++looks;
    const double error = std::abs(sketch.estimate() / static_cast<double>(n) - 1);
    EXPECT_LE(error, 4 * HyperLogLog::kStandardError) << n;
    outside += error > 2 * HyperLogLog::kStandardError;
  }
  EXPECT_LE(outside, looks / 10) << "of " << looks;
  EXPECT_LE(std::abs(sketch.estimate() / 2e6 - 1), 0.02);
}

TEST(HyperLogLog, TheErrorOverManySetsIsTheStandardError) {
  double squares = 0;
  constexpr int kSets = 60;
  constexpr std::size_t kEach = 60'000;
  for (int set = 0; set < kSets; ++set) {
    HyperLogLog sketch;
    for (std::size_t i = 0; i < kEach; ++i) sketch.add(std::to_string(set) + "/users/" + std::to_string(i));
    const double error = sketch.estimate() / kEach - 1;
    squares += error * error;
  }
  const double measured = std::sqrt(squares / kSets);
  EXPECT_LE(measured, 1.4 * HyperLogLog::kStandardError);
  EXPECT_GE(measured, 0.6 * HyperLogLog::kStandardError) << "too good to be a sketch of this size";
}

TEST(HyperLogLog, TheUnionIsThatOfBoth) {
  HyperLogLog a, b, both;
  for (int i = 0; i < 50'000; ++i) {
    (i % 3 == 0 ? a : b).add(std::to_string(i));
    both.add(std::to_string(i));
  }
  a.merge(b);
  EXPECT_EQ(a.estimate(), both.estimate());
}

TEST(SeriesCounter, CountsAndEntropyAreThoseOfAHandCalculation) {
  SeriesCounter counter;
  counter.add_text(
      "# TYPE http counter\n"
      "http{pod=\"a\",ip=\"10.0.0.1\",path=\"/users/1\"} 1\n"
      "http{pod=\"a\",ip=\"10.0.0.1\",path=\"/users/2\"} 1\n"
      "http{pod=\"b\",ip=\"10.0.0.2\",path=\"/users/1\"} 1\n"
      "http{path=\"/users/1\",pod=\"b\",ip=\"10.0.0.2\"} 7\n"
      "up{pod=\"a\",ip=\"10.0.0.1\"} 1\n"
      "not a sample\n");
  const Census census = counter.census({});
  EXPECT_EQ(census.series.exact, 4u);
  EXPECT_EQ(census.samples, 5u);
  EXPECT_EQ(census.repeated, 1u);
  EXPECT_EQ(census.unread, 1u);
  const model::Dimension& path = dimension(census, "path");
  EXPECT_EQ(path.values.exact, 2u);
  EXPECT_EQ(path.series, 3u);
  EXPECT_NEAR(path.entropy, 0.9183, 1e-4);
  // ip says nothing that pod does not: leaving it out merges nothing.
  EXPECT_TRUE(effect(dimension(census, "ip"), SeriesChange::drop)->injective());
  const model::ChangeEffect* dropped = effect(path, SeriesChange::drop);
  EXPECT_EQ(dropped->series, 3u);
  EXPECT_EQ(dropped->merged, 2u);
  // Pods differ in what is no number.
  EXPECT_EQ(effect(dimension(census, "pod"), SeriesChange::without_numbers), nullptr);
  EXPECT_EQ(effect(path, SeriesChange::without_numbers)->merged, 2u);
}

TEST(SeriesCounter, StepsKeepTheLimitAndLoseAsLittleAsPossible) {
  SeriesCounter counter;
  std::string text;
  for (int user = 0; user < 50; ++user)
    for (const char* method : {"GET", "PUT"})
      for (const char* zone : {"a", "b", "c"})
        text +=
            "http{path=\"/users/" + std::to_string(user) + "\",method=\"" + method + "\",zone=\"" + zone + "\"} 1\n";
  counter.add_text(text);
  const Census census = counter.census(6);
  EXPECT_EQ(census.series.exact, 300u);
  ASSERT_EQ(census.steps.size(), 1u);
  EXPECT_EQ(census.steps[0].dimension, "path");
  EXPECT_EQ(census.steps[0].effect.change, SeriesChange::without_numbers);
  EXPECT_EQ(census.steps[0].effect.series, 6u);
  EXPECT_EQ(census.steps[0].effect.merged, 300u);
  EXPECT_TRUE(census.reachable);
  EXPECT_TRUE(counter.census(300).steps.empty());
  SeriesCounter two;
  two.add_text("a 1\nb 1\n");
  EXPECT_FALSE(two.census(1).reachable);
}

TEST(SeriesCounter, BeyondWhatIsCountedExactlyOnlyEstimatesAreSaid) {
  SeriesCounter counter(1000);
  MetricSample sample;
  for (int i = 0; i < 5000; ++i) {
    sample.name = "m";
    sample.dimensions = {{"id", std::to_string(i)}};
    counter.add(sample);
  }
  const Census census = counter.census(10);
  EXPECT_FALSE(census.exact);
  EXPECT_NEAR(static_cast<double>(census.series.estimate), 5000, 200);
  EXPECT_NEAR(static_cast<double>(dimension(census, "id").values.estimate), 5000, 200);
  EXPECT_TRUE(census.steps.empty());
  EXPECT_TRUE(dimension(census, "id").effects.empty());
}

TEST(SeriesGrowth, TheLeadIsTheDistanceToTheLimitAtThePresentRate) {
  constexpr std::int64_t kHour = 3'600'000'000'000;
  std::vector<Census> files(3);
  for (std::size_t i = 0; i < files.size(); ++i) {
    files[i].at = static_cast<std::int64_t>(i + 1) * kHour;
    files[i].series.exact = 100 + 10 * i;
    files[i].limit = 170;
    files[i].dimensions.emplace_back();
    files[i].dimensions.back().name = "pod";
    files[i].dimensions.back().values = {5 + i, 5};
  }
  const auto growth = growth_of(files);
  ASSERT_TRUE(growth);
  EXPECT_NEAR(growth->each_hour, 10, 1e-9);
  EXPECT_NEAR(*growth->lead, 5, 1e-9);
  EXPECT_EQ(growth->dimension, "pod");
  for (Census& c : files) c.series.exact = 100;
  EXPECT_FALSE(growth_of(files)->lead);
  files.back().series.exact = 171;
  EXPECT_EQ(growth_of(files)->lead, 0);
  EXPECT_FALSE(growth_of({files.data(), 1}));
}

TEST(OpenMetricsText, TimesAreSecondsInOneFormatAndMillisecondsInTheOther) {
  MetricSample sample;
  ASSERT_EQ(read_sample("a{b=\"c\\\"d\"} 1 1764331200.5", true, sample), SampleLine::sample);
  EXPECT_EQ(sample.time, 1'764'331'200'500'000'000);
  EXPECT_EQ(sample.dimensions[0].second, "c\"d");
  ASSERT_EQ(read_sample("a 1 1764331200500", false, sample), SampleLine::sample);
  EXPECT_EQ(sample.time, 1'764'331'200'500'000'000);
  ASSERT_EQ(read_sample("a_bucket{le=\"+Inf\"} 17 # {trace_id=\"x\"} 0.5 1.5", true, sample), SampleLine::sample);
  EXPECT_FALSE(sample.time);
  for (const char* broken : {"a{b=\"c\" 1", "a{b=c} 1", "a", "{} 1", "a{b=\"1\",b=\"2\"} 1", "a x", "1a 1"})
    EXPECT_EQ(read_sample(broken, true, sample), SampleLine::unread) << broken;
}

}  // namespace
}  // namespace tailcap::series
