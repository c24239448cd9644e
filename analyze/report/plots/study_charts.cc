#include "analyze/report/plots/study_charts.h"

#include <algorithm>
#include <numeric>

#include "analyze/report/charts/collector_chart.h"
#include "analyze/report/charts/latency_chart.h"
#include "analyze/report/charts/time_chart.h"
#include "analyze/report/plots/phases_chart.h"
#include "analyze/report/tail/verdicts.h"
#include "analyze/report/words/words.h"

namespace tailcap::report::plots {
namespace {

std::string two_digits(std::size_t n) { return (n < 10 ? "0" : "") + std::to_string(n); }

template <class Chart>
void add(std::vector<Chart>& all, std::optional<Chart> chart, std::string name, std::string title,
         std::optional<std::size_t> route = std::nullopt) {
  if (!chart) return;
  chart->name = std::move(name);
  chart->title = std::move(title);
  chart->route = route;
  all.push_back(std::move(*chart));
}

}  // namespace

model::Charts charts_of(const model::Study& study, std::size_t routes) {
  model::Charts out;
  std::vector<std::size_t> all(study.routes.size());
  std::iota(all.begin(), all.end(), std::size_t{0});
  add(out.charts, charts::latency_chart(study, all), "latency", "Latency by route");
  for (std::size_t i = 0; i < std::min(routes, study.routes.size()); ++i) {
    const model::RouteStudy& route = study.routes[i];
    const std::string name = "route-" + two_digits(i + 1),
                      title = route_title(route) + (route.role == model::Role::client ? " (made)" : "");
    add(out.charts, charts::latency_chart(study, {i}), name + "-latency", title, i);
    add(out.charts, charts::time_chart(study, route, tail::episodes(study, i)), name + "-time", title, i);
    add(out.bars, phases_chart(route), name + "-phases", title, i);
  }
  for (model::Chart& chart : charts::collector_charts(study)) out.charts.push_back(std::move(chart));
  return out;
}

}  // namespace tailcap::report::plots
