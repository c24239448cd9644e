#include "analyze/views/report/page.h"

#include <utility>

#include "analyze/report/topology/topology.h"
#include "analyze/views/report/pictures.h"
#include "analyze/views/topology/topology.h"

namespace tailcap::views {

std::string report_page(PageReadings& readings, const pipeline::Analysis& analysis,
                        const report::ReportOptions& options, const model::LogBook* logs,
                        std::optional<render::Details> opened) {
  report::PageParts parts;
  parts.courses = analysis.courses;
  parts.opened = std::move(opened);
  model::PlotSet& figures = parts.figures;
  const model::Topology topology = topology_of(analysis);
  parts.facts.services = &topology;
  const model::LaneRecord lanes = readings.all_lanes.take();
  parts.facts.lanes = &lanes;
  parts.facts.logs = logs;
  parts.facts.samples = analysis.study.quality.samples > 0;
  parts.facts.wait_stacks = readings.stacks.has_wait_stacks();
  if (parts.facts.samples || parts.facts.wait_stacks)
    parts.facts.functions = [&](model::ExchangeId id) { return functions_of(readings.stacks.stacks_of(id)); };
  if (std::string image = report::svg_topology(topology, report::TopologyPicture::of_page); !image.empty())
    figures.drawn.insert(figures.drawn.begin(),
                         {"topology", report::svg_caption(topology), std::nullopt, std::move(image)});
  add_flames(readings.stacks, analysis, figures);
  parts.around = readings.lanes.take(
      analysis.table, report::requests_in_time(analysis.study, analysis.table, options, analysis.courses));
  return report::html_report(analysis.study, analysis.table, parts, options);
}

}  // namespace tailcap::views
