#include "analyze/report/json/request_json.h"
#include "analyze/report/json/request_schema.h"
#include "analyze/report/study/report_json.h"
#include "analyze/report/study/shapes.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace study {
namespace {

using model::ConnectionFailure;
using model::Study;

std::vector<std::string> slowest_rows(const Study& s, const Context& c) {
  std::vector<std::string> out;
  for (const std::uint32_t row : s.slowest) append_request(out.emplace_back(), c.table, c.table.rows[row], c.clock);
  return out;
}

const StudyShape<ConnectionFailure> kFailure{"connection_failure",
                                             {
                                                 {"peer", &ConnectionFailure::peer},
                                                 {"cause", &ConnectionFailure::cause},
                                                 {"count", &ConnectionFailure::count},
                                             }};

const StudyShape<Study>& report_shape() {
  static const StudyShape<Study> shape{
      "report",
      {
          {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
          {"begin_ns", &Study::begin},
          {"end_ns", &Study::end},
          {"quality", quality_shape(), &Study::quality},
          {"verdicts", verdict_shape(), &Study::verdicts, "those worth reading first"},
          {"machine", shortage_shape(), &Study::shortage},
          {"routes", route_shape(), &Study::routes, "most total time first"},
          {"slowest", request_description(), slowest_rows,
           "over all routes; as in requests --json, without header fields"},
          {"tls", tls_shape(), &Study::tls, "most connections first"},
          {"listen_queues", queue_shape(), &Study::queues, "that were full and dropped attempts to connect"},
          {"names", name_shape(), &Study::names, "most lookups first"},
          {"go", go_shape(), &Study::go, "by process"},
          {"incidents", incident_shape(), &Study::incidents, "by time"},
          {"changes", changes_shape(), &Study::changes},
          {"health", health_shape(), &Study::health},
          {"triggers", trigger_shape(), &Study::triggers, "largest difference first"},
          {"arrivals", arrivals_shape(), &Study::arrivals},
          {"connection_failures", kFailure, &Study::failures},
      }};
  return shape;
}

}  // namespace
}  // namespace study

std::string json_report(const model::Study& study, const model::RequestTable& table) {
  return json_of(study::report_shape(), study, study::Context(study, table));
}

std::string report_schema() {
  return json_schema(study::report_shape(), "tailcap report --json",
                     "What the names mean is said in JSON.md. Names may be added; none that is required goes away, or "
                     "changes its type, without another number in `schema`.",
                     true);
}

std::string verdict_json(const model::Verdict& verdict, const model::Study& study, const model::RequestTable& table) {
  std::string out;
  JsonWriter json(out);
  study::verdict_shape().write(json, verdict, study::Context(study, table));
  return out;
}

}  // namespace tailcap::report
