#include "analyze/report/charts/time_chart.h"

#include <algorithm>

#include "analyze/report/charts/axes.h"
#include "analyze/report/charts/timed.h"
#include "analyze/report/words/number.h"

namespace tailcap::report::charts {
namespace {

using formats::known;
using formats::Time;
using model::TimePoint;

constexpr std::uint64_t kForP99 = 100;  // requests in an interval; of fewer the p99 is the slowest by another name

// The intervals of a route, in ns since the recording began.
class Intervals {
 public:
  Intervals(const std::vector<TimePoint>& points, Time begin, Time end) : points_(points), begin_(begin), end_(end) {
    width_ = end - begin;
    for (std::size_t i = 1; i < points_.size(); ++i) width_ = std::min(width_, points_[i].from - points_[i - 1].from);
  }
  Duration width() const { return width_; }
  double from(std::size_t i) const { return at(points_[i].from); }
  double to(std::size_t i) const {
    return at(std::min(points_[i].from + width_, i + 1 < points_.size() ? points_[i + 1].from : end_));
  }

  // A level line over each interval: what was measured there, and nothing where there were none.
  template <class Value>
  model::ChartSeries series(std::string name, const char* colour, bool thin, Value value) const {
    model::ChartSeries out{std::move(name), colour, model::ChartSeries::Form::levels, thin, {}};
    for (std::size_t i = 0; i < points_.size(); ++i)
      if (const Duration d = points_[i].count == 0 ? Duration{} : value(points_[i]); d.count() > 0)
        out.strokes.push_back({from(i), to(i), static_cast<double>(d.count())});
    return out;
  }

  std::vector<model::Shade> hints() const {
    std::vector<model::Shade> out;
    for (std::size_t i = 0; i < points_.size(); ++i) {
      const TimePoint& p = points_[i];
      if (p.count == 0) continue;
      out.push_back({from(i), to(i),
                     offset_text(p.from, begin_) + ": " + count_text(p.count, "request", "requests") +
                         (p.errors > 0 ? ", " + count_text(p.errors, "error", "errors") : "") + "\nmedian " +
                         duration_text(p.p50) + (p.count >= kForP99 ? ", p99 " + duration_text(p.p99) : "") +
                         ", slowest " + duration_text(p.max)});
    }
    return out;
  }

 private:
  double at(Time t) const { return static_cast<double>((t - begin_).count()); }

  const std::vector<TimePoint>& points_;
  Time begin_, end_;
  Duration width_{};
};

std::vector<model::Burst> losses_of(const model::Study& study) {
  std::vector<model::Burst> out;
  for (const auto& loss : study.quality.losses)
    if (known(loss.to)) out.push_back({known(loss.from) ? loss.from : study.begin, loss.to, 0});
  return out;
}

}  // namespace

std::optional<model::Chart> time_chart(const model::Study& study, const model::RouteStudy& route,
                                       const std::vector<model::Burst>& episodes) {
  const std::vector<TimePoint>& points = route.over_time;
  if (points.empty() || !known(study.begin) || !known(study.end)) return std::nullopt;
  DurationAxis durations;
  for (const TimePoint& p : points)
    if (p.count > 0)
      for (const Duration d : {p.p50, p.max}) durations.include(d);
  if (durations.empty()) return std::nullopt;
  const Time end = std::max(study.end, points.back().from + Duration{1});
  const Intervals intervals(points, study.begin, end);
  model::Chart out;
  out.over_time = true;
  out.across = recording_axis(study.begin, end);
  out.up = durations.axis("duration");
  const auto add_series = [&](model::ChartSeries series) {
    if (!series.strokes.empty()) out.series.push_back(std::move(series));
  };
  add_series(intervals.series("median", "", false, [](const TimePoint& p) { return p.p50; }));
  add_series(intervals.series("p99, where at least 100 began", "#c0272d", false,
                              [](const TimePoint& p) { return p.count >= kForP99 ? p.p99 : Duration{}; }));
  add_series(intervals.series("slowest", "#8a8f94", true, [](const TimePoint& p) { return p.max; }));
  const auto add_shades = [&](model::Shades::Kind kind, const char* name, const char* hint,
                              std::vector<model::Burst> bursts) {
    model::Shades shades{kind, name, shades_of(joined(std::move(bursts), study.begin, end), study.begin, hint)};
    if (!shades.all.empty()) out.shades.push_back(std::move(shades));
  };
  add_shades(model::Shades::Kind::episode, "episodes of the answers above", "episode", episodes);
  add_shades(model::Shades::Kind::lost, "events lost, requests may be missing", "events lost", losses_of(study));
  out.hints = intervals.hints();
  out.caption = "Requests of each " + duration_text(intervals.width()) + ", by when they began.";
  return out;
}

}  // namespace tailcap::report::charts
