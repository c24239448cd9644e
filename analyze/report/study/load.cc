#include "analyze/report/study/shapes.h"
#include "analyze/report/tail/load_lines.h"

namespace tailcap::report::study {
namespace {

using model::Arrivals;
using model::FanOut;
using model::HeadOfLine;
using model::InFlightBand;
using model::LoadStudy;
using model::RetryStudy;

const StudyShape<InFlightBand> kInFlight{
    "in_flight",
    {
        {"from", &InFlightBand::from, "requests under way"},
        {"to", &InFlightBand::to},
        {"count", &InFlightBand::count},
        {"median_ns", &InFlightBand::median},
        {"p95_ns", [](auto& b) { return when(b.count >= tail::kLeastForP95, b.p95); }, "null: too few"},
    }};

const StudyShape<HeadOfLine> kHeadOfLine{"head_of_line",
                                         {
                                             {"label", [](auto& h) { return model::name_of(h.label); }},
                                             {"requests", &HeadOfLine::requests},
                                             {"connections", &HeadOfLine::connections},
                                             {"time_ns", &HeadOfLine::time},
                                             {"worst_connection", &HeadOfLine::worst},
                                             {"worst_requests", &HeadOfLine::worst_requests},
                                         }};

const StudyShape<FanOut::Slowest> kSlowest{
    "slowest_call",
    {
        {"method", [](auto& s, auto& c) { return OrNull{std::string_view(c.table.texts[s.method])}; }},
        {"route", [](auto& s, auto& c) { return OrNull{std::string_view(c.table.texts[s.route])}; }},
        {"authority", [](auto& s, auto& c) { return OrNull{std::string_view(c.table.texts[s.authority])}; }},
        {"count", &FanOut::Slowest::count},
    }};

const StudyShape<FanOut> kFanOut{
    "fan_out",
    {
        {"requests", &FanOut::requests, "that made calls at once"},
        {"calls_mean", &FanOut::calls},
        {"quantile", &FanOut::quantile, "beyond which a call is slow"},
        {"limit_ns", &FanOut::limit, "which is this"},
        {"slow_calls", &FanOut::slow_calls, "a share"},
        {"observed", &FanOut::observed, "share of requests with a slow call"},
        {"independent", &FanOut::independent, "expected if calls were slow independently of each other"},
        {"slowest", kSlowest, &FanOut::slowest, "most often first"},
    }};

const StudyShape<RetryStudy> kRetries{"retries",
                                      {
                                          {"attempts", &RetryStudy::attempts},
                                          {"calls", &RetryStudy::calls},
                                          {"retried", &RetryStudy::retried},
                                          {"attempt_mean_ns", &RetryStudy::attempt_mean},
                                          {"call_mean_ns", &RetryStudy::call_mean},
                                      }};

}  // namespace

const StudyShape<LoadStudy>& load_shape() {
  static const StudyShape<LoadStudy> shape{
      "load",
      {
          {"in_flight", kInFlight, &LoadStudy::in_flight},
          {"mean_in_flight", [](auto& l) { return l.little.in_flight; }},
          {"expected_in_flight", [](auto& l) { return l.little.expected; }},
          {"little_holds", [](auto& l) { return l.little.holds; }},
          {"head_of_line", kHeadOfLine, &LoadStudy::head_of_line, "most time first"},
          {"fan_out", kFanOut, &LoadStudy::fan_out},
          {"retries", kRetries, &LoadStudy::retries},
      }};
  return shape;
}

const StudyShape<Arrivals>& arrivals_shape() {
  static const StudyShape<Arrivals> shape{
      "arrivals",
      {
          {"role", one_of<model::Role::client>(&Arrivals::role)},
          {"connections", &Arrivals::connections, "with at least two requests"},
          {"next", &Arrivals::next, "requests that follow another on their connection"},
          {"at_once", &Arrivals::at_once, "of these: sent as soon as the one before was answered"},
          {"closed_loop", &Arrivals::closed_loop},
      }};
  return shape;
}

}  // namespace tailcap::report::study
