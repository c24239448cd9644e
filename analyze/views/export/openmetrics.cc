#include "analyze/views/export/openmetrics.h"

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/export/openmetrics.h"
#include "analyze/model/columns/facts.h"
#include "analyze/model/trace/trace_identity.h"
#include "analyze/pipeline/wanted.h"
#include "analyze/report/words/number.h"
#include "analyze/spans/identities.h"

namespace tailcap::views {
namespace {

// Names of services. Where processes are not known, they are what requests name, and anybody may send requests.
class Services {
 public:
  static constexpr std::size_t kMost = 1000;

  std::string_view of(const pipeline::Analysis& analysis, std::uint32_t row) {
    const model::Request request = analysis.table.rows[row];
    model::columns::ColumnFacts facts(analysis.table, request);
    pipeline::add_known(facts, analysis);
    const auto text = [&](model::TextId id) { return id == 0 ? std::string_view() : analysis.table.texts[id]; };
    const std::string_view name =
        model::service_of(analysis.table, request, text(facts.local), text(facts.remote)).name;
    if (names_.contains(name)) return name;
    if (names_.size() < kMost) return *names_.insert(name).first;
    ++others_;
    return "other";
  }
  std::uint64_t others() const { return others_; }  // requests

 private:
  std::set<std::string_view> names_;
  std::uint64_t others_ = 0;
};

}  // namespace

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
  Services services;
  for (std::uint32_t i = 0; i < analysis.table.rows.size(); ++i)
    if (wanted(analysis.table, i)) measured.push_back({i, ids.rows[i].context, services.of(analysis, i)});
  out.requests = measured.size();
  const model::Quality& quality = analysis.study.quality;
  exports::Metrics metrics{analysis.table, measured};
  metrics.lost_events = quality.lost;
  if (quality.clock.known()) metrics.realtime = [&](formats::Time t) { return quality.clock.realtime(t); };
  metrics.end = quality.file.last;
  if (services.others() > 0)
    out.limits.push_back(report::count_text(services.others(), "request is", "requests are") +
                         " of the service \"other\": the first " + std::to_string(Services::kMost) +
                         " services have their names.");
  if (const std::uint64_t folded = quality.findings[model::Finding::route_overflow]; folded > 0)
    out.limits.push_back(report::count_text(folded, "request is", "requests are") +
                         " in the route \"other\": there are more routes than --max-routes.");
  write(protobuf ? exports::prometheus(metrics) : exports::openmetrics(metrics));
  return out;
}

}  // namespace tailcap::views
