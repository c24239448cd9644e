#include "analyze/views/report/page.h"

#include <utility>

#include "analyze/plot/plot.h"
#include "analyze/report/topology/topology.h"
#include "analyze/views/report/pictures.h"
#include "analyze/views/topology/topology.h"

namespace tailcap::views {
ReportPage report_page(const RequestStacks& stacks, const pipeline::Analysis& analysis,
                       const report::ReportOptions& options) {
  model::Figures figures = plot::draw(analysis.study, {plot::Format::svg, false, report::kSectionsInPage});
  const model::Topology topology = topology_of(analysis);
  if (std::string image = report::svg_topology(topology); !image.empty())
    figures.drawn.insert(figures.drawn.begin(),
                         {"topology", report::svg_caption(topology), std::nullopt, std::move(image)});
  add_flames(stacks, analysis, figures);
  return {report::html_report(analysis.study, analysis.table, figures, options, analysis.courses), figures.trouble};
}

}  // namespace tailcap::views
