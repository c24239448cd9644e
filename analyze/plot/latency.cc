#include <algorithm>
#include <cmath>

#include "analyze/model/study/figure.h"
#include "analyze/plot/chart.h"
#include "analyze/plot/plot.h"
#include "analyze/plot/script.h"

namespace tailcap::plot {
namespace {

constexpr std::size_t kPoints = 400;  // per curve: more than 760 pixels can show

double seconds(model::Duration d) { return static_cast<double>(d.count()) * 1e-9; }

// Only what a logarithmic axis can show, thinned evenly; the first and the last point stay.
Data curve(const model::RouteStudy& route, std::size_t i) {
  std::vector<model::CcdfPoint> points;
  for (const auto& p : route.ccdf)
    if (p.at.count() > 0 && p.share_above > 0 && p.share_above <= 1) points.push_back(p);
  Data data("$curve" + std::to_string(i));
  const std::size_t n = std::min(points.size(), kPoints);
  for (std::size_t k = 0; k < n; ++k) {
    const auto& p = points[n < 2 ? 0 : k * (points.size() - 1) / (n - 1)];
    data.row({seconds(p.at), p.share_above});
  }
  return data;
}

struct Range {
  double low = 1e9, high = 1e-9, least_share = 0.1;
  void include(const model::RouteStudy& route) {
    for (const auto& p : route.ccdf) {
      if (p.at.count() <= 0 || !(p.share_above > 0) || p.share_above > 1) continue;
      low = std::min(low, seconds(p.at));
      high = std::max(high, seconds(p.at));
      least_share = std::min(least_share, p.share_above);
    }
  }
};

// Where an interval is known: a bar at the quantile's height from its low to its high end.
Data intervals(const model::RouteStudy& route) {
  Data data("$intervals");
  for (const auto& q : route.latency) {
    const bool has = q.support == model::Support::full || q.support == model::Support::low;
    if (has && q.low.count() > 0 && q.high > q.low && q.q < 1)
      data.row({seconds(q.low), 1 - q.q, seconds(q.high) - seconds(q.low), 0});
  }
  return data;
}

}  // namespace

std::string route_name(const model::Study& study, std::size_t i) {
  const auto& route = study.routes[i];
  const bool both = std::ranges::any_of(study.routes, [&](const auto& r) { return r.role != route.role; });
  return (both ? std::string(route.role == model::Role::server ? "served: " : "made: ") : "") +
         (route.name_shared ? (route.comm.empty() ? "?" : route.comm) + " " : "") +
         (route.method.empty() ? "?" : route.method) + " " +
         (route.route.empty() ? "(path not recorded)" : route.route);
}

Chart latency_chart(const model::Study& study, std::optional<std::size_t> only, bool titled) {
  std::string data, plots;
  Range range;
  Chart chart;
  std::size_t shown = 0, candidates = 0;
  const std::size_t first = only.value_or(0), last = only ? *only + 1 : study.routes.size();
  for (std::size_t i = first; i < last; ++i) {
    const Data points = curve(study.routes[i], i);
    if (points.empty()) continue;
    ++candidates;
    if (shown == kCurves) continue;
    range.include(study.routes[i]);
    data += points.text();
    plots += (plots.empty() ? "plot " : ", \\\n  ") + points.name() + " using 1:2 with lines lw 2 lc rgb '" +
             std::string(model::curve_colour(shown)) + "' title " + quoted(route_name(study, i), only ? 80 : 44);
    ++shown;
  }
  if (shown == 0) return chart;
  chart.caption = only ? "Share of requests that took longer than a duration."
                       : "Share of requests that took longer than a duration, by route.";
  if (only) {
    if (const Data bars = intervals(study.routes[*only]); !bars.empty()) {
      data += bars.text();
      plots +=
          ", \\\n  " + bars.name() +
          " using 1:2:3:4 with vectors nohead lw 5 lc rgb '#d55e00' title '95 % interval of p50, p90, p95, p99, p99.9'";
      chart.caption += " Bars: 95 % interval where the recording supports one.";
    }
  }
  if (only ? study.routes[*only].latency_tainted != 0
           : std::ranges::any_of(study.routes, [](const auto& r) { return r.latency_tainted != 0; }))
    chart.caption += " Requests whose duration is in doubt are left out; they may be slower.";
  if (candidates > shown)
    chart.caption += " The " + std::to_string(shown) + " routes with most total time; " +
                     std::to_string(candidates - shown) + " more are not drawn.";
  const double low = range.low / 1.15, high = std::max(range.high * 1.15, range.low * 2);
  const double floor = std::max(std::pow(10, std::floor(std::log10(range.least_share) + 1e-6)), 1e-9);
  std::string shares, quantiles;
  for (double share = 1, n = 0; share > floor * 0.99; share /= 10, ++n) {
    constexpr std::string_view names[] = {"100 %%",  "10 %%",    "1 %%",     "0.1 %%",
                                          "0.01 %%", "0.001 %%", "0.0001 %%"};  // ticks are formats
    constexpr std::string_view qs[] = {"", "p90", "p99", "p99.9", "p99.99", "p99.999", "p99.9999"};
    if (n > 6) break;
    const auto k = static_cast<std::size_t>(n);
    shares += (k == 0 ? "'" : ", '") + std::string(names[k]) + "' " + number(share);
    quantiles += (k == 0 ? "'p50' 0.5" : ", '" + std::string(qs[k]) + "' " + number(share));
  }
  const std::size_t key_rows = only ? 2 : (shown + 1) / 2;
  chart.height = 340 + 18 * static_cast<unsigned>(key_rows);
  chart.script =
      data + "set logscale xy\nset xrange [" + number(low) + ":" + number(high) + "]\nset yrange [" + number(floor) +
      ":1]\nset y2range [" + number(floor) +
      ":1]\nset logscale y2\nset xlabel 'duration' offset 0,0.3\nset ylabel 'requests slower than that' offset 1\n" +
      "set xtics " + duration_ticks(low, high) + "\nset ytics nomirror (" + shares + ")\nset y2tics (" + quantiles +
      ")\n" + legend_below(key_rows, only ? 1 : 2, chart.height) +
      (titled ? "set title " + quoted(only ? route_name(study, *only) : "Latency by route", 70) + "\n" : "") + plots +
      "\n";
  return chart;
}

}  // namespace tailcap::plot
