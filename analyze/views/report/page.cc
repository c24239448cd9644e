#include "analyze/views/report/page.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "analyze/plot/plot.h"
#include "analyze/report/topology/topology.h"
#include "analyze/views/report/pictures.h"
#include "analyze/views/topology/topology.h"

namespace tailcap::views {
namespace {

// The requests that the page shows in time, and those who held them up.
std::vector<model::ExchangeId> exemplars_of(const pipeline::Analysis& analysis) {
  std::vector<model::ExchangeId> exemplars;
  for (std::size_t i = 0; i < std::min(analysis.study.routes.size(), report::kSectionsInPage); ++i) {
    if (!analysis.study.routes[i].tail) continue;
    for (const model::Exemplar& e : analysis.study.routes[i].tail->exemplars)
      for (const std::uint32_t row : {e.row, e.typical}) {
        exemplars.push_back(analysis.table.rows.id(row));
        for (const model::Culprit& c : analysis.table.partitions.culprits(exemplars.back()))
          if (c.request.connection != 0) exemplars.push_back(c.request);
      }
  }
  return exemplars;
}

}  // namespace

ReportPage report_page(const std::string& file, const pipeline::Analysis& analysis,
                       const report::ReportOptions& options) {
  model::Figures figures = plot::draw(analysis.study, {plot::Format::svg, false, report::kSectionsInPage});
  const model::Topology topology = topology_of(analysis);
  if (std::string image = report::svg_topology(topology); !image.empty())
    figures.drawn.insert(figures.drawn.begin(),
                         {"topology", report::svg_caption(topology), std::nullopt, std::move(image)});
  add_flames(file, analysis, figures);
  const auto courses = pipeline::courses_of(file, exemplars_of(analysis));
  return {report::html_report(analysis.study, analysis.table, figures, options, courses), figures.trouble};
}

}  // namespace tailcap::views
