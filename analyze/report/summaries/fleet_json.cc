#include "analyze/report/json/shape.h"
#include "analyze/report/summaries/band_words.h"
#include "analyze/report/summaries/deployment_shape.h"
#include "analyze/report/summaries/fleet_page.h"
#include "analyze/report/summaries/words.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace of_fleet {
namespace {

using model::FleetFile;
using model::FleetRoute;
using model::FleetService;
using model::FleetStudy;
using model::HealthPoint;
using model::ServiceHealth;
using model::TimeShare;

template <class T>
using FleetShape = Shape<T, Anywhere>;

const FleetShape<TimeShare> kShare{
    "time_share",
    {
        {"name", &TimeShare::name},
        {"now_ns", [](auto& t) { return whole_number(t.now); }, "of a request, on average"},
        {"before_ns", [](auto& t) { return whole_number(t.before); }, "null: nothing is known of the time before"},
    }};

const FleetShape<HealthPoint> kPoint{"service_hour",
                                     {
                                         {"from_ns", &HealthPoint::from, "since 1970"},
                                         {"requests", &HealthPoint::requests},
                                         {"judged", &HealthPoint::judged},
                                         {"failed", &HealthPoint::failed},
                                         {"p95_ns", [](auto& p) { return whole_number(p.p95); }, "null: too few"},
                                     }};

struct BurningLimit {
  const model::SloWeek& limit;
  const model::gate::Objective& objective;
};
const FleetShape<BurningLimit> kBurning{
    "burning_limit",
    {
        {"metric", [](auto& b) { return std::string(name_of(b.objective.metric)); }},
        {"limit", [](auto& b) { return std::string_view(b.objective.text); }, "as it was written"},
        {"since_ns", [](auto& b) { return b.limit.burning_since; }, "since 1970"},
        {"to_ns", [](auto& b) { return b.limit.burning_until; }},
        {"burn_rate", [](auto& b) { return b.limit.burning; }, "of these hours"},
        {"budget_left", [](auto& b) { return b.limit.budget_left; }, "of the period: a share; negative: more was used"},
    }};

struct ServiceContext {
  const FleetStudy& study;
  const FleetService& service;
};
std::vector<BurningLimit> burning_of(const ServiceContext& s) {
  std::vector<BurningLimit> out;
  for (const std::size_t at : s.service.limits) {
    const model::SloWeek& limit = s.study.scorecard.limits[at];
    out.push_back({limit, s.study.scorecard.slos[limit.slo].objectives[limit.objective]});
  }
  return out;
}

const FleetShape<ServiceContext> kFleetService{
    "fleet_service",
    {
        {"service", [](auto& s) { return std::string_view(s.service.service); }},
        {"health", one_of<ServiceHealth::well>([](auto& s) { return s.service.health; }),
         "not_judged: too little is known"},
        {"since_ns", [](auto& s) { return when(s.service.since != 0, s.service.since); },
         "since 1970; null: it is not known not to be well"},
        {"lasts", [](auto& s) { return s.service.lasts; }, "until the last hour"},
        {"outside", outside_shape(), Refer{[](auto& s) { return &s.service.outside; }}, "of its baseline"},
        {"limits", kBurning, burning_of, "whose error budget burns too fast"},
        {"not_judged", [](auto& s) { return s.service.unjudged; }, "what could not be, and why"},
        {"requests", [](auto& s) { return s.service.requests; }, "of the latest time"},
        {"judged", [](auto& s) { return s.service.judged; }, "it is known how they ended"},
        {"failed", [](auto& s) { return s.service.failed; }},
        {"p50_ns", [](auto& s) { return whole_number(s.service.p50); }, "null: too few"},
        {"p95_ns", [](auto& s) { return whole_number(s.service.p95); }},
        {"p99_ns", [](auto& s) { return whole_number(s.service.p99); }},
        {"labels", kShare, Refer{[](auto& s) { return &s.service.labels; }},
         "what its time is spent on, since it is not well or in the latest time"},
        {"callees", kShare, Refer{[](auto& s) { return &s.service.callees; }}, "likewise, of its calls"},
        {"hours", kPoint, Refer{[](auto& s) { return &s.service.course; }}, "of the last three days"},
    }};

template <class T>
auto quantile_of_route(double q) {
  return [q](const T& r) { return whole_number(r.now.all().quantile(q)); };
}
const FleetShape<FleetRoute> kFleetRoute{
    "fleet_route",
    {
        {"service", [](auto& r) { return std::string_view(r.route.service); }},
        {"method", [](auto& r) { return OrNull{std::string_view(r.route.method)}; }},
        {"route", [](auto& r) { return OrNull{std::string_view(r.route.route)}; }},
        {"requests", [](auto& r) { return r.now.requests; }},
        {"judged", [](auto& r) { return r.now.judged; }},
        {"failed", [](auto& r) { return r.now.failed; }},
        {"p50_ns", quantile_of_route<FleetRoute>(0.5), "null: no duration is known"},
        {"p95_ns", quantile_of_route<FleetRoute>(0.95)},
        {"p99_ns", quantile_of_route<FleetRoute>(0.99)},
        {"before_p95_ns", [](auto& r) { return whole_number(r.before_p95); }, "null: too few"},
    }};

using FleetEdge = std::pair<formats::SummaryEdge, formats::CallCell>;
const FleetShape<FleetEdge> kFleetEdge{
    "fleet_edge",
    {
        {"from", [](auto& e) { return std::string_view(e.first.from); }},
        {"to", [](auto& e) { return std::string_view(e.first.to); }},
        {"requests", [](auto& e) { return e.second.requests; }},
        {"failed", [](auto& e) { return e.second.failed; }},
        {"p50_ns", [](auto& e) { return whole_number(e.second.durations.quantile(0.5)); }},
        {"p95_ns", [](auto& e) { return whole_number(e.second.durations.quantile(0.95)); }},
    }};

const FleetShape<FleetFile> kFleetFile{"fleet_capture",
                                       {
                                           {"id", [](auto& f) { return std::string_view(f.capture.id); }},
                                           {"host", [](auto& f) { return OrNull{std::string_view(f.capture.host)}; }},
                                           {"from_ns", [](auto& f) { return f.capture.began; }, "since 1970"},
                                           {"to_ns", [](auto& f) { return f.capture.ended; }},
                                           {"lost", [](auto& f) { return f.capture.lost; }, "events"},
                                           {"complete", [](auto& f) { return f.capture.whole; }},
                                           {"file", or_null(&FleetFile::target), "path or URL; null: not known"},
                                       }};

std::vector<ServiceContext> services_of(const FleetStudy& study) {
  std::vector<ServiceContext> out;
  for (const FleetService& service : study.services) out.push_back({study, service});
  return out;
}

const FleetShape<FleetStudy> kFleet{
    "fleet",
    {
        {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
        {"from_ns", &FleetStudy::from, "of all windows, since 1970"},
        {"to_ns", &FleetStudy::to},
        {"latest_from_ns", &FleetStudy::latest, "the latest time, by which services are judged"},
        {"requests", &FleetStudy::requests, "served"},
        {"hosts", &FleetStudy::hosts},
        {"lost", &FleetStudy::lost, "events"},
        {"incomplete_captures", &FleetStudy::incomplete},
        {"limits_given", &FleetStudy::with_limits},
        {"no_baseline", or_null(&FleetStudy::no_baseline), "why nothing is held against what is usual"},
        {"services", kFleetService, services_of, "those that are not well first"},
        {"routes", kFleetRoute, &FleetStudy::routes, "served, of the latest time; the worst first"},
        {"edges", kFleetEdge, &FleetStudy::edges, "of the latest time"},
        {"notes", deployment_shape(), &FleetStudy::deployments, "the latest first"},
        {"captures", kFleetFile, &FleetStudy::files, "the latest first"},
    }};

}  // namespace
}  // namespace of_fleet

std::string fleet_json(const model::FleetStudy& study) { return json_of(of_fleet::kFleet, study, Anywhere{}); }
std::string fleet_schema() {
  return json_schema(of_fleet::kFleet, "tailcap fleet --json",
                     "The services of a fleet: which is not well, since when, and what its time is spent on.");
}

}  // namespace tailcap::report
