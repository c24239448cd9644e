#include "analyze/summaries/baseline.h"

#include <cstdlib>
#include <fstream>
#include <sstream>

#include "tests/unit/summaries/weeks.h"

namespace tailcap::summaries {
namespace {

using formats::Summary;
using model::BandMetric;
using model::BaselineStudy;
using model::DayKind;
using model::ServiceBaseline;

constexpr int kLearned = 14, kHeldOut = 7;  // days

// Wilson's 95 % interval of a share.
struct ShareInterval {
  double low = 0, high = 0;
  ShareInterval(std::size_t part, std::size_t whole) {
    const double n = static_cast<double>(whole), p = static_cast<double>(part) / n, z = 1.96;
    const double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
    const double half = z / (1 + z * z / n) * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
    low = middle - half, high = middle + half;
  }
};

// Logarithms of the p50 of runs of one version, one directly after the other, as they were recorded.
std::vector<double> real_runs(const std::string& service) {
  std::ifstream in(SOURCE_DIR "/tests/cli/gate_noise.json");
  std::stringstream all;
  all << in.rdbuf();
  const std::string text = all.str();
  std::size_t at = text.find("\"p50\"", text.find("\"" + service + "\""));
  at = text.find('[', at);
  std::stringstream numbers(text.substr(at + 1, text.find(']', at) - at - 1));
  std::vector<double> out;
  double sum = 0;
  for (std::string one; std::getline(numbers, one, ',');) sum += out.emplace_back(std::log(std::stod(one)));
  for (double& x : out) x -= sum / static_cast<double>(out.size());
  return out;
}

struct Measured {
  std::size_t days = 0, alarms = 0, slow_days = 0, found = 0;
};

// services: each with its own weeks.
Measured measure(const SyntheticService& service, std::size_t services, double slower) {
  Measured out;
  for (std::uint64_t seed = 1; seed <= services; ++seed) {
    SyntheticWeeks weeks(service, seed);
    Summary known;
    for (int day = 0; day < kLearned; ++day) weeks.add_day(known, day);
    for (int day = kLearned; day < kLearned + kHeldOut; ++day) {
      Summary usual, slow;
      weeks.add_day(usual, day);
      ++out.days;
      out.alarms += !baseline_of(known, &usual, {}).services[0].outside.empty();
      if (day >= kLearned + 2) continue;
      weeks.add_day(slow, day, slower);
      ++out.slow_days;
      bool found = false;
      for (const auto& o : baseline_of(known, &slow, {}).services[0].outside)
        found = found || (o.above && o.metric >= BandMetric::p50);
      out.found += found;
    }
  }
  return out;
}

bool daily() { return std::getenv("TAILCAP_DAILY") != nullptr; }

void expect_few_alarms(const Measured& m, const std::string& of) {
  const ShareInterval alarms(m.alarms, m.days);
  ::testing::Test::RecordProperty(of + "_alarms", std::to_string(m.alarms) + " of " + std::to_string(m.days));
  ::testing::Test::RecordProperty(of + "_found", std::to_string(m.found) + " of " + std::to_string(m.slow_days));
  // In the short run that more than 1 % are false is not shown; in the long one that at most 1 % are.
  EXPECT_LE(daily() ? alarms.high : alarms.low, 0.01) << of << ": " << m.alarms << " of " << m.days;
}

TEST(Baseline, FalseAlarmsAndDetectionOfHeldOutDays) {
  const Measured m = measure({}, daily() ? 1'500 : 100, 1.2);
  expect_few_alarms(m, "synthetic");
  EXPECT_GE(ShareInterval(m.found, m.slow_days).low, 0.95) << m.found << " of " << m.slow_days;
}

// Between days these services vary as recorded ones did, with their drift: one by 1.9 %, the other by 14 %.
TEST(Baseline, DaysThatVaryAsRealRunsDid) {
  for (const char* name : {"timed", "go"}) {
    SyntheticService service;
    service.real_days = real_runs(name);
    ASSERT_GE(service.real_days.size(), 60u);
    const Measured m = measure(service, daily() ? 200 : 50, 1.2);
    const ShareInterval alarms(m.alarms, m.days);
    RecordProperty(std::string(name) + "_alarms", std::to_string(m.alarms) + " of " + std::to_string(m.days));
    RecordProperty(std::string(name) + "_found", std::to_string(m.found) + " of " + std::to_string(m.slow_days));
    EXPECT_LE(alarms.low, 0.01) << name << ": " << m.alarms << " of " << m.days;
    const double found = static_cast<double>(m.found) / static_cast<double>(m.slow_days);
    EXPECT_GE(found, std::string_view(name) == "timed" ? 0.95 : 0) << m.found << " of " << m.slow_days;
  }
}

struct Weeks {
  explicit Weeks(int days, SyntheticService service = {}) : weeks(std::move(service), 11) {
    for (int day = 0; day < days; ++day) weeks.add_day(known, day);
  }
  SyntheticWeeks weeks;
  Summary known;
};

TEST(Baseline, TooFewDaysAreRefusedWithWhatIsMissing) {
  const BaselineStudy study = baseline_of(Weeks(5).known, nullptr, {});
  for (const auto& m : study.services.at(0).metrics) {
    EXPECT_EQ(m.missing, "needs 7 whole days, and there are 5") << name_of(m.metric);
    EXPECT_TRUE(m.bands.empty());
  }
}

TEST(Baseline, WeekdaysAreComparedWhereEachIsThereTwice) {
  const auto kinds = [](int days) {
    std::set<DayKind> out;
    for (const auto& m : baseline_of(Weeks(days).known, nullptr, {}).services.at(0).metrics)
      if (m.missing.empty()) out.insert(m.kind);
    return out;
  };
  EXPECT_FALSE(kinds(13).contains(DayKind::weekday));
  EXPECT_FALSE(kinds(8).contains(DayKind::weekday));
  // The rate of weekends is another: days of any kind are not alike.
  for (const auto& m : baseline_of(Weeks(14).known, nullptr, {}).services.at(0).metrics)
    EXPECT_TRUE(m.metric != BandMetric::rate || m.kind != DayKind::any);
}

TEST(Baseline, OneSlowHourIsNoAlarmAndThreeAre) {
  Weeks w(14);
  for (const int hours : {1, 2, 3, 6}) {
    SyntheticWeeks weeks({}, 5);
    Summary day;
    weeks.add_day(day, 14);
    for (int hour = 10; hour < 10 + hours; ++hour)
      for (auto& [route, cell] : day.windows.at(kFirstMonday + 14 * kDayOfHours + hour * kHourLength).routes) {
        formats::DurationSketch slow;
        for (const auto& [bucket, n] : cell.durations[2].buckets()) slow.append(bucket + 8, n);  // by 41 %
        cell.durations[2] = slow;
      }
    const ServiceBaseline found = baseline_of(w.known, &day, {}).services.at(0);
    EXPECT_EQ(!found.outside.empty(), hours >= 3) << hours;
    for (const auto& o : found.outside) {
      EXPECT_EQ(o.from, kFirstMonday + 14 * kDayOfHours + 10 * kHourLength);
      EXPECT_EQ(o.to, o.from + hours * kHourLength);
      EXPECT_GT(o.value, o.high);
    }
  }
}

TEST(Baseline, ErrorsAboveWhatIsUsual) {
  Weeks w(14);
  Summary day;
  w.weeks.add_day(day, 14, 1, 12, 0.02);
  const ServiceBaseline found = baseline_of(w.known, &day, {}).services.at(0);
  ASSERT_EQ(found.outside.size(), 1u);
  EXPECT_EQ(found.outside[0].metric, BandMetric::errors);
  EXPECT_NEAR(found.outside[0].value, 0.021, 0.01);
}

TEST(Baseline, ALowRateIsOutsideToo) {
  Weeks w(14);
  SyntheticService half;
  half.per_hour = 2'000;
  SyntheticWeeks weeks(half, 3);
  Summary day;
  weeks.add_day(day, 14);
  const ServiceBaseline found = baseline_of(w.known, &day, {}).services.at(0);
  ASSERT_FALSE(found.outside.empty());
  EXPECT_EQ(found.outside[0].metric, BandMetric::rate);
  EXPECT_FALSE(found.outside[0].above);
}

TEST(Baseline, WhatTheBaselineDoesNotKnowIsNotJudged) {
  Weeks w(14);
  Summary day;
  day.window = kHourLength;
  day.windows[kFirstMonday + 14 * kDayOfHours].routes[{"new", "server", "GET", "/"}].requests = 5;
  const BaselineStudy study = baseline_of(w.known, &day, {});
  ASSERT_EQ(study.services.size(), 2u);
  for (const auto& s : study.services) {
    EXPECT_EQ(s.checked, 0u);
    EXPECT_FALSE(s.unknown.empty());
    EXPECT_TRUE(s.outside.empty());
  }
}

TEST(Baseline, TheLabelWhoseTimeGrewIsNamed) {
  const auto with_labels = [](Summary& s, std::int64_t lock) {
    for (auto& [start, window] : s.windows)
      for (auto& [route, cell] : window.routes) {
        const std::uint64_t n = cell.requests;
        cell.labels["cpu"].add(15'000'000, n);
        cell.labels["lock.futex"].add(lock, n);
      }
  };
  Weeks w(14);
  with_labels(w.known, 1'000'000);
  Summary day;
  w.weeks.add_day(day, 14, 1.4);
  with_labels(day, 8'000'000);
  const ServiceBaseline found = baseline_of(w.known, &day, {}).services.at(0);
  ASSERT_FALSE(found.labels.empty());
  EXPECT_EQ(found.labels[0].label, "lock.futex");
  EXPECT_NEAR(found.labels[0].typical, 1e6, 1);
  EXPECT_NEAR(found.labels[0].now, 8e6, 1);
}

}  // namespace
}  // namespace tailcap::summaries
