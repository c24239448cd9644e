#include "analyze/report/compare/noticed.h"

#include "analyze/report/compare/compare_words.h"

namespace tailcap::report {
namespace {

using model::gate::Comparison;
using model::gate::Count;
using model::gate::Metric;
using model::gate::RouteComparison;

std::string metric_text(const RouteComparison& route, const Metric& metric, const model::gate::GateEstimate& estimate) {
  // Once: that of the other percentiles is that of the mean.
  const bool repeated = metric.kind == Metric::Kind::p50 || metric.kind == Metric::Kind::p95;
  const std::string why = repeated ? "" : why_text(route, metric);
  return std::string(name_of(metric)) + " of " + route_text(route.name) + " " + difference_text(metric, estimate) +
         " (" + interval_text(metric, estimate) + ")" + (why.empty() ? "" : "; " + why);
}

}  // namespace

std::vector<Noticed> noticed_of(const Comparison& c) {
  std::vector<Noticed> out;
  for (std::size_t i = 0; i < c.routes.size(); ++i) {
    const RouteComparison& route = c.routes[i];
    for (const auto& row : route.metrics)
      if (row.estimate.noticed) out.push_back({metric_text(route, row.metric, row.estimate), true, i, row.metric});
    for (const auto& row : route.all.rows) {
      if (!row.estimate.noticed) continue;
      const Metric metric{Metric::Kind::label, static_cast<std::uint8_t>(row.account)};
      out.push_back({route_text(route.name) + ": " + change_text(metric, row.estimate.difference) + " (" +
                         interval_text(metric, row.estimate) + ") per request " + account_text(row.account),
                     true, i, metric});
    }
  }
  const Metric calls = Metric::of(Count::calls);
  for (const auto& row : c.called)
    if (row.estimate.noticed)
      out.push_back({route_text(row.name) + ": " + value_text(calls, row.estimate.base) + " → " +
                     value_text(calls, row.estimate.fresh) + " calls per incoming request of any route (" +
                     interval_text(calls, row.estimate) + "; which route makes them is not certain)"});
  return out;
}

}  // namespace tailcap::report
