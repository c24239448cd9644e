#include "analyze/report/charts/latency_chart.h"

#include <algorithm>

#include "analyze/model/figure/figure.h"
#include "analyze/report/charts/axes.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::charts {
namespace {

using model::CcdfPoint;

constexpr std::size_t kPoints = 200;  // of a curve: more cannot be seen
constexpr std::size_t kColumns = 60;  // in which values are shown under the mouse
constexpr std::size_t kName = 40;     // of a route under the mouse
constexpr double kLeastShare = 1e-6;

double ns(Duration d) { return static_cast<double>(d.count()); }

std::vector<CcdfPoint> points_of(const model::RouteStudy& route) {
  std::vector<CcdfPoint> all, out;
  for (const CcdfPoint& p : route.ccdf)
    if (p.at.count() > 0 && p.share_above >= kLeastShare && p.share_above <= 1) all.push_back(p);
  const std::size_t n = std::min(all.size(), kPoints);
  for (std::size_t k = 0; k < n; ++k) out.push_back(all[n < 2 ? 0 : k * (all.size() - 1) / (n - 1)]);
  return out;
}

model::ChartSeries intervals(const model::RouteStudy& route, double least) {
  model::ChartSeries out{"95 % interval of a percentile", "#d55e00", model::ChartSeries::Form::stretches, false, {}};
  for (const model::Quantile& q : route.latency) {
    const bool has = q.support == model::Support::full || q.support == model::Support::low;
    if (has && q.low.count() > 0 && q.high > q.low && q.q < 1 && 1 - q.q >= least)
      out.strokes.push_back({ns(q.low), ns(q.high), 1 - q.q});
  }
  return out;
}

// By how many requests of each route the middle of a column is exceeded.
std::vector<model::Shade> hints_of(const model::Chart& chart, std::size_t curves) {
  std::vector<model::Shade> out;
  for (std::size_t i = 0; i < kColumns; ++i) {
    const auto at = [&](double columns) { return value_at(chart.across, columns / static_cast<double>(kColumns)); };
    const auto column = static_cast<double>(i);
    const Duration d{static_cast<std::int64_t>(at(column + 0.5))};
    std::string text = "longer than " + duration_text(d) + ":";
    for (std::size_t k = 0; k < curves; ++k) {
      const auto& strokes = chart.series[k].strokes;
      const auto after = std::ranges::upper_bound(strokes, ns(d), {}, &model::Stroke::from);
      const double above = after == strokes.begin() ? 1 : after == strokes.end() ? 0 : after[-1].up;
      text += (curves == 1 ? " " : "\n") + (above <= 0 ? std::string("none") : share_text(above, 1.0)) +
              (curves == 1 ? "" : "  " + chart.series[k].name);
    }
    out.push_back({at(column), at(column + 1), std::move(text)});
  }
  return out;
}

}  // namespace

std::optional<model::Chart> latency_chart(const model::Study& study, const std::vector<std::size_t>& routes) {
  model::Chart out;
  const bool many = routes.size() > 1;
  const model::RouteStudy* single = nullptr;
  DurationAxis durations;
  std::size_t candidates = 0;
  double least = 0.1;
  bool doubtful = false;
  for (const std::size_t i : routes) {
    const model::RouteStudy& route = study.routes[i];
    const std::vector<CcdfPoint> points = points_of(route);
    if (points.empty()) continue;
    if (++candidates > model::kCurveColours) continue;
    doubtful |= route.latency_tainted != 0;
    single = &route;
    model::ChartSeries curve;
    curve.name = many ? shortened(route_title(route), kName) + (route.role == model::Role::client ? " (made)" : "")
                      : std::string("requests");
    curve.colour = std::string(model::curve_colour(out.series.size()));
    for (const CcdfPoint& p : points) {
      curve.strokes.push_back({ns(p.at), ns(p.at), p.share_above});
      durations.include(p.at);
      least = std::min(least, p.share_above);
    }
    out.series.push_back(std::move(curve));
  }
  if (out.series.empty()) return std::nullopt;
  out.across = durations.axis("took longer than");
  out.up = share_axis(least, "requests");
  out.right = quantile_ticks(out.up);
  out.hints = hints_of(out, out.series.size());
  out.caption = std::string("Share of requests that took longer than a duration") + (many ? ", by route." : ".");
  if (doubtful) out.caption += " Requests whose duration is in doubt are left out; they may be slower.";
  if (candidates > out.series.size())
    out.caption += " The " + std::to_string(out.series.size()) + " routes with most total time; " +
                   std::to_string(candidates - out.series.size()) + " more are not drawn.";
  if (!many)
    if (model::ChartSeries bars = intervals(*single, out.up.low * 0.99); !bars.strokes.empty())
      out.series.push_back(std::move(bars));
  return out;
}

}  // namespace tailcap::report::charts
