#include "analyze/report/json/shape.h"
#include "analyze/report/summaries/deployment_shape.h"
#include "analyze/report/summaries/summaries.h"
#include "analyze/report/summaries/summary_totals.h"
#include "analyze/report/summaries/words.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace of_summary {
namespace {

using formats::CallCell;
using formats::DurationSketch;
using formats::RouteCell;
using formats::SummarisedCapture;
using formats::Summary;

template <class T>
using SummaryShape = Shape<T, Anywhere>;

template <class Pair>
auto quantile(double q) {
  return [q](const Pair& p) {
    if constexpr (std::is_same_v<typename Pair::second_type, RouteCell>)
      return whole_number(percentile_of(p.second.all(), q));
    else
      return whole_number(percentile_of(p.second.durations, q));
  };
}

struct StatusDurations {
  std::string_view status;
  const DurationSketch& durations;
};
using LabelDurations = std::pair<const std::string, DurationSketch>;

std::vector<StatusDurations> statuses_of(const RouteCell& cell) {
  constexpr std::array<std::string_view, 6> names = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
  std::vector<StatusDurations> out;
  for (std::size_t i = 0; i < names.size(); ++i)
    if (!cell.durations[i].empty()) out.push_back({names[i], cell.durations[i]});
  return out;
}

const SummaryShape<StatusDurations> kStatus{
    "status",
    {
        {"status",
         &StatusDurations::status,
         "none: requests without a status",
         {.values = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"}}},
        {"requests", [](auto& s) { return s.durations.count(); }, "with a duration"},
        {"p50_ns", [](auto& s) { return whole_number(percentile_of(s.durations, 0.5)); }, "null: too few"},
        {"p99_ns", [](auto& s) { return whole_number(percentile_of(s.durations, 0.99)); }},
    }};

const SummaryShape<LabelDurations> kLabelDurations{
    "label_time",
    {
        {"label", [](auto& l) { return std::string_view(l.first); }},
        {"requests", [](auto& l) { return l.second.count(); }, "that had any"},
        {"time_ns", [](auto& l) { return l.second.sum(); }, "of all of them"},
        {"p50_ns", [](auto& l) { return whole_number(percentile_of(l.second, 0.5)); }, "of those that had any"},
        {"p99_ns", [](auto& l) { return whole_number(percentile_of(l.second, 0.99)); }},
    }};

using RouteTotal = std::pair<formats::SummaryRoute, RouteCell>;
const SummaryShape<RouteTotal> kRoute{
    "summary_route",
    {
        {"service", [](auto& r) { return std::string_view(r.first.service); },
         "(other): all without a name of their own"},
        {"role", [](auto& r) { return std::string_view(r.first.role); }},
        {"method", [](auto& r) { return OrNull{std::string_view(r.first.method)}; }},
        {"route", [](auto& r) { return OrNull{std::string_view(r.first.route)}; }},
        {"requests", [](auto& r) { return r.second.requests; }},
        {"judged", [](auto& r) { return r.second.judged; }, "it is known how they ended"},
        {"failed", [](auto& r) { return r.second.failed; }, "at the server, or broken off"},
        {"client_errors", [](auto& r) { return r.second.client_errors; }},
        {"p50_ns", quantile<RouteTotal>(0.5), "at most 2.2 % from the exact one; null: too few"},
        {"p95_ns", quantile<RouteTotal>(0.95)},
        {"p99_ns", quantile<RouteTotal>(0.99)},
        {"statuses", kStatus, [](auto& r) { return statuses_of(r.second); }},
        {"labels", kLabelDurations, Refer{[](auto& r) { return &r.second.labels; }}},
    }};

using EdgeTotal = std::pair<formats::SummaryEdge, CallCell>;
const SummaryShape<EdgeTotal> kEdge{"edge",
                                    {
                                        {"from", [](auto& e) { return std::string_view(e.first.from); }},
                                        {"to", [](auto& e) { return std::string_view(e.first.to); }},
                                        {"requests", [](auto& e) { return e.second.requests; }},
                                        {"failed", [](auto& e) { return e.second.failed; }},
                                        {"p50_ns", quantile<EdgeTotal>(0.5), "as the caller saw them; null: too few"},
                                        {"p99_ns", quantile<EdgeTotal>(0.99)},
                                    }};

using StatementTotal = std::pair<formats::SummaryStatement, CallCell>;
const SummaryShape<StatementTotal> kStatement{
    "summary_statement",
    {
        {"store", [](auto& e) { return std::string_view(e.first.store); }},
        {"statement", [](auto& e) { return std::string_view(e.first.statement); }, "without its literals"},
        {"requests", [](auto& e) { return e.second.requests; }},
        {"failed", [](auto& e) { return e.second.failed; }},
        {"p50_ns", quantile<StatementTotal>(0.5), "null: too few"},
        {"p99_ns", quantile<StatementTotal>(0.99)},
    }};

using FunctionTotal = std::pair<formats::SummaryFunction, std::uint64_t>;
const SummaryShape<FunctionTotal> kFunction{
    "summary_function",
    {
        {"service", [](auto& f) { return std::string_view(f.first.service); }},
        {"function", [](auto& f) { return std::string_view(f.first.function); }},
        {"samples", [](auto& f) { return when(!f.first.waited, f.second); }, "on a CPU; null: it is about waits"},
        {"waited_ns", [](auto& f) { return when(f.first.waited, f.second); }},
    }};

struct WindowCounts {
  std::int64_t start = 0;
  std::uint64_t covered = 0, requests = 0, failed = 0;
};
const SummaryShape<WindowCounts> kWindow{
    "summary_window",
    {
        {"from_ns", &WindowCounts::start, "since 1970"},
        {"covered_ns", &WindowCounts::covered, "of it were recorded, by all captures"},
        {"requests", &WindowCounts::requests, "served"},
        {"failed", &WindowCounts::failed},
    }};
std::vector<WindowCounts> windows_of(const Summary& s) {
  std::vector<WindowCounts> out;
  for (const auto& [start, window] : s.windows) {
    WindowCounts& one = out.emplace_back();
    one.start = start;
    one.covered = window.covered;
    for (const auto& [route, cell] : window.routes)
      if (route.role == model::name_of(model::Role::server)) one.requests += cell.requests, one.failed += cell.failed;
  }
  return out;
}

const SummaryShape<SummarisedCapture> kCapture{"summarised_capture",
                                               {
                                                   {"id", &SummarisedCapture::id},
                                                   {"host", or_null(&SummarisedCapture::host)},
                                                   {"from_ns", &SummarisedCapture::began, "since 1970"},
                                                   {"to_ns", &SummarisedCapture::ended},
                                                   {"lost", &SummarisedCapture::lost, "events"},
                                                   {"complete", &SummarisedCapture::whole},
                                               }};

using Fact = std::pair<std::string, std::string>;
const SummaryShape<Fact> kFact{"fact", {{"name", &Fact::first}, {"value", &Fact::second}}};

struct SummaryDocument {
  const Summary& summary;
  const SummaryTotals& totals;
};
const SummaryShape<SummaryDocument> kSummary{
    "summary",
    {
        {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
        {"window_ns", [](auto& d) { return d.summary.window; }},
        {"requests", [](auto& d) { return d.totals.requests; }, "served"},
        {"covered_ns", [](auto& d) { return d.totals.covered; }, "recorded, by all captures"},
        {"captures", kCapture, Refer{[](auto& d) { return &d.summary.captures; }}},
        {"environment", kFact, Refer{[](auto& d) { return &d.summary.environment; }}, "of all captures"},
        {"deployments", deployment_shape(), Refer{[](auto& d) { return &d.summary.deployments; }}},
        {"windows", kWindow, [](auto& d) { return windows_of(d.summary); }, "by time"},
        {"routes", kRoute, Refer{[](auto& d) { return &d.totals.routes; }}, "of all windows, most requests first"},
        {"edges", kEdge, Refer{[](auto& d) { return &d.totals.edges; }}},
        {"statements", kStatement, Refer{[](auto& d) { return &d.totals.statements; }}},
        {"functions", kFunction, Refer{[](auto& d) { return &d.totals.functions; }}},
    }};

}  // namespace
}  // namespace of_summary

const Shape<formats::SummaryDeployment, Anywhere>& deployment_shape() {
  using formats::SummaryDeployment;
  static const Shape<SummaryDeployment, Anywhere> shape{
      "deployment",
      {
          {"service", &SummaryDeployment::service, "of the recording that has the note"},
          {"host", or_null(&SummaryDeployment::host)},
          {"name", &SummaryDeployment::name, "deploy or version"},
          {"value", &SummaryDeployment::value},
          {"at_ns", &SummaryDeployment::at, "since 1970"},
      }};
  return shape;
}

std::string summary_json(const formats::Summary& summary) {
  const SummaryTotals totals = totals_of(summary);
  return json_of(of_summary::kSummary, of_summary::SummaryDocument{summary, totals}, Anywhere{});
}

std::string summary_schema() {
  return json_schema(of_summary::kSummary, "tailcap summarise --json", "The sum of captures, by windows of time.");
}

}  // namespace tailcap::report
