#include "analyze/report/compare/curves.h"

#include "analyze/model/study/study.h"
#include "analyze/report/charts/chart_svg.h"
#include "analyze/report/charts/latency_chart.h"

namespace tailcap::report {

void add_curves(render::Document& out, const std::array<SideCurve, 2>& sides, const std::string& caption) {
  model::Study study;
  for (const SideCurve& side : sides) {
    study.routes.emplace_back();
    study.routes.back().method = side.side;
    study.routes.back().route = side.what;
    for (const auto& [ns, above] : *side.points) study.routes.back().ccdf.push_back({model::Duration{ns}, above});
  }
  auto chart = charts::latency_chart(study, {0, 1});
  if (!chart) return;
  chart->caption = caption;
  out.add(render::Figures{{charts::chart_figure(*chart, charts::kWide)}});
}

}  // namespace tailcap::report
