#include "analyze/views/export/openmetrics.h"

#include <string>
#include <string_view>
#include <vector>

#include "analyze/export/openmetrics.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/report/words/number.h"
#include "analyze/spans/identities.h"
#include "analyze/views/export/services.h"

namespace tailcap::views {

Exported export_openmetrics(const std::string& file, const pipeline::Options& chosen, bool protobuf,
                            const Write& write) {
  Exported out;
  out.what = "metrics";
  pipeline::Options options = of_all(chosen);
  options.partition = true;
  const pipeline::Analysis analysis = analysed(file, options, out);
  std::vector<spans::ForeignSpan> none;
  const spans::Identities ids = spans::identities_of(analysis.table, none);
  const pipeline::Wanted wanted(chosen, analysis);
  std::vector<exports::Measured> measured;
  ExportedServices services(analysis);
  for (std::uint32_t i = 0; i < analysis.table.rows.size(); ++i)
    if (wanted(analysis.table, i)) measured.push_back({i, ids.rows[i].context, services.of(i)});
  out.requests = measured.size();
  const model::Quality& quality = analysis.study.quality;
  exports::Metrics metrics{analysis.table, measured};
  metrics.lost_events = quality.lost;
  if (quality.clock.known()) metrics.realtime = [&](formats::Time t) { return quality.clock.realtime(t); };
  metrics.end = quality.file.last;
  if (services.others() > 0)
    out.limits.push_back(report::count_text(services.others(), "request is", "requests are") +
                         " of the service \"other\": the first " + std::to_string(ExportedServices::kMost) +
                         " services have their names.");
  if (const std::uint64_t folded = quality.findings[model::Finding::route_overflow]; folded > 0)
    out.limits.push_back(report::count_text(folded, "request is", "requests are") +
                         " in the route \"other\": there are more routes than --max-routes.");
  write(protobuf ? exports::prometheus(metrics) : exports::openmetrics(metrics));
  return out;
}

}  // namespace tailcap::views
