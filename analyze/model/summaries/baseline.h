// What is usual at a time of day, learned from summaries of many days, and what is outside of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::model {

enum class BandMetric : std::uint8_t { rate, errors, p50, p95, p99 };
inline constexpr std::size_t kBandMetrics = 5;
constexpr std::string_view name_of(BandMetric metric) {
  constexpr std::string_view names[] = {"rate", "errors", "p50", "p95", "p99"};
  return names[static_cast<std::size_t>(metric)];
}

// Which days are compared with each other.
enum class DayKind : std::uint8_t { any, weekend, weekday };
constexpr std::string_view name_of(DayKind kind) {
  constexpr std::string_view names[] = {"any", "weekend", "weekday"};
  return names[static_cast<std::size_t>(kind)];
}

// Where a metric lies at a time of day.
struct BaselineBand {
  std::size_t days_of = 0;  // DayKind weekend: 0 Monday to Friday, 1 Saturday and Sunday; weekday: 0 Monday …
  std::int64_t from = 0;    // ns after midnight (UTC)
  double low = 0, typical = 0, high = 0;  // ns; a share; per second
};

struct MetricBaseline {
  BandMetric metric = BandMetric::p50;
  std::string missing;  // why there are no bands; empty: there are
  DayKind kind = DayKind::any;
  std::size_t days = 0;          // that were learned from
  std::size_t false_alarms = 0;  // of these days, held against the others
  std::vector<BaselineBand> bands;
};

// Steps in a row in which a metric was outside of its band.
struct OutsideBand {
  BandMetric metric = BandMetric::p50;
  bool above = true;
  std::int64_t from = 0, to = 0;                     // ns since 1970
  double value = 0, low = 0, typical = 0, high = 0;  // of the step that is farthest from what is typical
};
// Time per request under a label, while something was outside.
struct LabelShift {
  std::string label;
  double typical = 0, now = 0;  // ns
};

struct ServiceBaseline {
  std::string service;
  std::vector<MetricBaseline> metrics;
  // What was checked:
  std::vector<OutsideBand> outside;
  std::vector<LabelShift> labels;    // the largest increase first
  std::size_t checked = 0;           // days of metrics that could be judged
  std::vector<std::string> unknown;  // metrics that could not, and why
};

struct BaselineStudy {
  std::size_t days = 0;                       // that the summaries have
  std::int64_t from = 0, to = 0;              // of all windows learned from
  std::int64_t check_from = 0, check_to = 0;  // likewise of those checked; 0: none
  std::int64_t step = 0, cycle = 0;           // ns
  double level = 0;                           // false alarms a day and service that are meant
  std::vector<ServiceBaseline> services;
};

}  // namespace tailcap::model
