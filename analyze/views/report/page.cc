#include "analyze/views/report/page.h"

#include <utility>

#include "analyze/report/topology/topology.h"
#include "analyze/views/report/pictures.h"
#include "analyze/views/topology/topology.h"

namespace tailcap::views {

std::string report_page(const RequestStacks& stacks, pipeline::LaneWindows& lanes, const pipeline::Analysis& analysis,
                        const report::ReportOptions& options) {
  report::PageParts parts{{}, analysis.courses, {}};
  model::PlotSet& figures = parts.figures;
  const model::Topology topology = topology_of(analysis);
  if (std::string image = report::svg_topology(topology); !image.empty())
    figures.drawn.insert(figures.drawn.begin(),
                         {"topology", report::svg_caption(topology), std::nullopt, std::move(image)});
  add_flames(stacks, analysis, figures);
  parts.around =
      lanes.take(analysis.table, report::requests_in_time(analysis.study, analysis.table, options, analysis.courses));
  return report::html_report(analysis.study, analysis.table, parts, options);
}

}  // namespace tailcap::views
