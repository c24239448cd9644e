#include "analyze/summaries/baseline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <stdexcept>
#include <string>

#include "analyze/model/statistics/t_distribution.h"
#include "analyze/summaries/days.h"

namespace tailcap::summaries {
namespace {

using model::BandMetric;
using model::BaselineBand;
using model::BaselineStudy;
using model::DayKind;
using model::MetricBaseline;
using model::OutsideBand;
using model::ServiceBaseline;

constexpr std::int64_t kDayLength = 86'400'000'000'000;
constexpr double kSides = 6;  // of all metrics: a rate can be too low, too
constexpr std::size_t kLabelShifts = 3;

// A smaller change is of no account, however regular the days are.
double least_margin(BandMetric metric) {
  if (metric == BandMetric::errors) return 0.005;
  return std::log(metric == BandMetric::rate ? 1.2 : 1.05);
}

bool two_sided(BandMetric metric) { return metric == BandMetric::rate; }

// The width of a band to one side, from the farthest runs of the days.
double margin_of(const std::vector<double>& farthest, double level, BandMetric metric) {
  const auto n = static_cast<double>(farthest.size());
  double sum = 0, squares = 0;
  for (const double x : farthest) sum += x;
  const double mean = sum / n;
  for (const double x : farthest) squares += (x - mean) * (x - mean);
  const double deviation = std::sqrt(squares / (n - 1));
  return std::max(least_margin(metric),
                  mean + model::t_quantile(1 - level / kSides, n - 1) * deviation * std::sqrt(1 + 1 / n));
}

// One metric of one service, of days of one kind.
struct Learned {
  DayKind kind = DayKind::any;
  std::vector<std::int64_t> days;
  std::vector<double> above, below;  // their farthest runs
  double up = 0, down = 0;           // margins
};

std::size_t known_steps(const DaySteps& steps) {
  return static_cast<std::size_t>(std::ranges::count_if(steps, [](const auto& s) { return s.has_value(); }));
}

// Days with most of the steps that such days have: a day with few is outside less often.
std::vector<std::int64_t> whole_days(const Days& days) {
  std::vector<std::size_t> known;
  for (const auto& [day, steps] : days) known.push_back(known_steps(steps));
  if (known.empty()) return {};
  const auto middle = known.begin() + static_cast<std::ptrdiff_t>(known.size() / 2);
  std::ranges::nth_element(known, middle);
  std::vector<std::int64_t> out;
  for (const auto& [day, steps] : days)
    if (4 * known_steps(steps) >= 3 * *middle) out.push_back(day);
  return out;
}

// Every class of days has two at least.
bool repeats(const std::vector<std::int64_t>& days, DayKind kind) {
  std::map<std::size_t, std::size_t> of;
  for (const std::int64_t day : days) ++of[class_of(day, kind)];
  return std::ranges::all_of(of, [](const auto& n) { return n.second >= 2; }) &&
         of.size() == (kind == DayKind::any       ? 1u
                       : kind == DayKind::weekend ? 2u
                                                  : 7u);
}

std::optional<Learned> learn(const Days& days, DayKind kind, BandMetric metric, double level) {
  Learned out;
  out.kind = kind;
  const TypicalSteps typical(days, kind);
  for (const std::int64_t day : whole_days(days)) {
    const auto above = farthest(day, days.at(day), typical, 1, day),
               below = farthest(day, days.at(day), typical, -1, day);
    if (!above || !below) continue;
    out.days.push_back(day);
    out.above.push_back(*above);
    out.below.push_back(*below);
  }
  if (out.days.size() < kLeastDays || !repeats(out.days, kind)) return std::nullopt;
  out.up = margin_of(out.above, level, metric);
  out.down = margin_of(out.below, level, metric);
  return out;
}

// Those of these days that would have been outside of what the others say.
std::size_t held_out(const Learned& of, BandMetric metric, double level) {
  std::size_t out = 0;
  const auto without = [](std::vector<double> all, std::size_t i) {
    all.erase(all.begin() + static_cast<std::ptrdiff_t>(i));
    return all;
  };
  for (std::size_t i = 0; i < of.days.size(); ++i)
    out += of.above[i] > margin_of(without(of.above, i), level, metric) ||
           (two_sided(metric) && of.below[i] > margin_of(without(of.below, i), level, metric));
  return out;
}

class ServiceStudy {
 public:
  ServiceStudy(const Series& known, const Series* fresh, const BaselineOptions& options)
      : known_(known), fresh_(fresh), options_(options) {}

  ServiceBaseline study(std::string service) {
    out_.service = std::move(service);
    for (std::size_t m = 0; m < model::kBandMetrics; ++m) add(static_cast<BandMetric>(m));
    if (!out_.outside.empty()) add_labels();
    return std::move(out_);
  }

 private:
  void add(BandMetric metric) {
    const Days days = days_of(known_, metric, options_.cycle, options_.steps);
    MetricBaseline& found = out_.metrics.emplace_back();
    found.metric = metric;
    std::optional<Learned> best;
    for (const DayKind kind : {DayKind::any, DayKind::weekend, DayKind::weekday}) {
      if (kind != DayKind::any && options_.cycle != kDayLength) continue;
      auto one = learn(days, kind, metric, options_.level);
      if (one && (!best || one->up + one->down < best->up + best->down)) best = std::move(one);
    }
    found.days = best ? best->days.size() : whole_days(days).size();
    if (!best) {
      found.missing = why_not(days.size(), found.days);
      if (fresh_) out_.unknown.push_back(std::string(name_of(metric)) + ": " + found.missing);
      return;
    }
    found.kind = best->kind;
    found.false_alarms = held_out(*best, metric, options_.level);
    add_bands(days, *best, found);
    if (fresh_) check(days, *best, metric);
  }

  static std::string why_not(std::size_t days, std::size_t whole) {
    if (days == 0) return "no step has enough requests";
    return "needs " + std::to_string(kLeastDays) + " whole days, and there are " + std::to_string(whole);
  }

  BaselineBand band_at(const TypicalSteps& typical, const Learned& of, BandMetric metric, std::int64_t day,
                       std::size_t step) const {
    const double usual = *typical.at(day, step, std::nullopt);
    BaselineBand out;
    out.days_of = class_of(day, of.kind);
    out.from = static_cast<std::int64_t>(step) * (options_.cycle / options_.steps);
    out.typical = value_of(metric, usual);
    out.high = value_of(metric, usual + of.up);
    out.low = two_sided(metric) ? value_of(metric, usual - of.down) : 0;
    return out;
  }

  void add_bands(const Days& days, const Learned& of, MetricBaseline& found) const {
    const TypicalSteps typical(days, of.kind);
    std::map<std::size_t, std::int64_t> classes;  // a day of each
    for (const std::int64_t day : of.days) classes.try_emplace(class_of(day, of.kind), day);
    for (const auto& [days_of, day] : classes)
      for (std::size_t step = 0; step < static_cast<std::size_t>(options_.steps); ++step)
        if (typical.at(day, step, std::nullopt)) found.bands.push_back(band_at(typical, of, found.metric, day, step));
  }

  void check(const Days& days, const Learned& of, BandMetric metric) {
    const TypicalSteps typical(days, of.kind);
    const Days fresh = days_of(*fresh_, metric, options_.cycle, options_.steps);
    bool any = false;
    for (const auto& [day, steps] : fresh) {
      if (!farthest(day, steps, typical, 1, std::nullopt)) continue;
      any = true;
      ++out_.checked;
      add_outside(day, steps, typical, of, metric, 1);
      if (two_sided(metric)) add_outside(day, steps, typical, of, metric, -1);
    }
    if (!any)
      out_.unknown.push_back(std::string(name_of(metric)) + ": needs " + std::to_string(kStepsOutside) +
                             " steps in a row with enough requests, at times that the baseline knows");
  }

  void add_outside(std::int64_t day, const DaySteps& steps, const TypicalSteps& typical, const Learned& of,
                   BandMetric metric, int sign) {
    const double margin = sign > 0 ? of.up : of.down;
    const std::int64_t length = options_.cycle / options_.steps;
    std::size_t run = 0;
    double most = 0;
    OutsideBand found;
    const auto end = [&] {
      if (run >= kStepsOutside) out_.outside.push_back(found);
      run = 0;
    };
    for (std::size_t i = 0; i < steps.size(); ++i) {
      const auto usual = steps[i] ? typical.at(day, i, std::nullopt) : std::nullopt;
      const double distance = usual ? sign * (*steps[i] - *usual) : 0;
      if (!usual || distance <= margin) {
        end();
        continue;
      }
      const std::int64_t start = day * options_.cycle + static_cast<std::int64_t>(i) * length;
      if (run++ == 0) found = {metric, sign > 0, start, start, 0, 0, 0, 0}, most = 0;
      found.to = start + length;
      if (distance <= most) continue;
      most = distance;
      const BaselineBand band = band_at(typical, of, metric, day, i);
      found.value = value_of(metric, *steps[i]);
      found.low = band.low, found.typical = band.typical, found.high = band.high;
    }
    end();
  }

  // Time per request by label, in the steps that were outside and in all steps of the same times before.
  void add_labels() {
    std::set<std::int64_t> times;
    SeriesPoint now, usual;
    const std::int64_t length = options_.cycle / options_.steps;
    for (const OutsideBand& o : out_.outside)
      for (std::int64_t at = o.from; at < o.to; at += length)
        if (const auto point = fresh_->find(at); point != fresh_->end())
          if (times.insert(step_of(at, length) - step_of(at, options_.cycle)).second) now.add(point->second);
    for (const auto& [start, point] : known_)
      if (times.contains(start - step_of(start, options_.cycle))) usual.add(point);
    const auto n = static_cast<double>(now.durations.count()), before = static_cast<double>(usual.durations.count());
    if (n == 0 || before == 0) return;
    std::vector<model::LabelShift> all;
    for (const auto& [label, ns] : now.labels) {
      const auto was = usual.labels.find(label);
      all.push_back({label, was == usual.labels.end() ? 0 : static_cast<double>(was->second) / before,
                     static_cast<double>(ns) / n});
    }
    std::ranges::stable_sort(all, {}, [](const auto& l) { return l.typical - l.now; });
    for (const auto& l : all)
      if (l.now > l.typical && out_.labels.size() < kLabelShifts) out_.labels.push_back(l);
  }

  const Series& known_;
  const Series* const fresh_;
  const BaselineOptions& options_;
  ServiceBaseline out_;
};

void span_of(const formats::Summary& s, std::int64_t& from, std::int64_t& to) {
  if (s.windows.empty()) return;
  from = s.windows.begin()->first;
  to = s.windows.rbegin()->first + s.window;
}

}  // namespace

BaselineStudy baseline_of(const formats::Summary& known, const formats::Summary* fresh,
                          const BaselineOptions& options) {
  const std::int64_t step = options.cycle / options.steps;
  if (options.cycle % options.steps != 0 || step % known.window != 0 || (fresh && step % fresh->window != 0))
    throw std::runtime_error("the steps of the baseline are no multiple of the windows of the summaries");
  BaselineStudy out;
  out.step = step;
  out.cycle = options.cycle;
  out.level = options.level;
  span_of(known, out.from, out.to);
  std::set<std::int64_t> days;
  for (const auto& [start, window] : known.windows) days.insert(step_of(start, options.cycle));
  out.days = days.size();
  const auto before = series_by_service(known, step);
  std::map<std::string, Series> now;
  if (fresh) {
    span_of(*fresh, out.check_from, out.check_to);
    now = series_by_service(*fresh, step);
  }
  static const Series kNothing;
  for (const auto& [service, series] : before) {
    const auto at = now.find(service);
    out.services.push_back(
        ServiceStudy(series, fresh ? (at == now.end() ? &kNothing : &at->second) : nullptr, options).study(service));
  }
  for (const auto& [service, series] : now)
    if (!before.contains(service))
      out.services.push_back({service, {}, {}, {}, 0, {"the baseline does not know this service"}});
  return out;
}

}  // namespace tailcap::summaries
