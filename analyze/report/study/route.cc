#include "analyze/report/study/shapes.h"

namespace tailcap::report::study {
namespace {

using formats::Duration;
using model::Band;
using model::CcdfPoint;
using model::HeldUp;
using model::Quantile;
using model::RouteStudy;
using model::Support;
using model::TimePoint;

bool has_value(const Quantile& q) {
  return q.support != Support::refused && q.support != Support::lower_only && q.support != Support::at_least;
}
bool has_interval(const Quantile& q) { return q.support == Support::full || q.support == Support::low; }
std::optional<Duration> low_of(const Quantile& q) {
  if (q.support == Support::at_least) return q.value;
  return when(has_interval(q) || q.support == Support::lower_only, q.low);
}
double tenth(double value) { return std::round(value * 10) / 10; }

struct RoleBand {
  const Band& band;
  model::Role role;
};
std::vector<RoleBand> bands_of(const RouteStudy& r) {
  std::vector<RoleBand> out;
  for (const Band& band : r.bands) out.push_back({band, r.role});
  return out;
}
auto phases_of(const RoleBand& b) {
  std::vector<std::pair<std::string_view, std::int64_t>> out;
  const auto phases = model::phases_of(b.role);
  for (std::size_t i = 0; i < phases.size(); ++i)
    out.emplace_back(model::name_of(phases[i]), std::llround(b.band.phases[i]));
  return Map<decltype(out)>{std::move(out)};
}
std::vector<std::pair<Duration, double>> curve_of(const RouteStudy& r) {
  std::vector<std::pair<Duration, double>> out;
  for (const CcdfPoint& p : r.ccdf) out.emplace_back(p.at, p.share_above);
  return out;
}
std::vector<model::ExchangeId> slowest_of(const RouteStudy& r, const Context& c) {
  std::vector<model::ExchangeId> out;
  for (const std::uint32_t row : r.slowest) out.push_back(c.table.rows[row].id);
  return out;
}

const StudyShape<Quantile> kQuantile{
    "quantile",
    {
        {"q", &Quantile::q},
        {"support", one_of<Support::at_least>(&Quantile::support), "how far it can be trusted"},
        {"value_ns", [](auto& q) { return when(has_value(q), q.value); }},
        {"low_ns", low_of, "of the 95 % interval within this capture"},
        {"high_ns", [](auto& q) { return when(has_interval(q), q.high); }},
        {"effective_n", [](auto& q) { return tenth(q.effective_n); },
         "requests after the design effect of autocorrelation"},
        {"reason", or_null(&Quantile::reason), "why support is not full"},
    }};

const StudyShape<RoleBand> kBand{"band",
                                 {
                                     {"from", [](auto& b) { return b.band.from; }, "quantile"},
                                     {"to", [](auto& b) { return b.band.to; }},
                                     {"count", [](auto& b) { return b.band.count; }},
                                     {"mean_ns", [](auto& b) { return when(b.band.count > 0, b.band.mean); }},
                                     {"phases", phases_of, "ns; they sum to the mean"},
                                 }};

const StudyShape<HeldUp> kHeldUp{"held_up",
                                 {
                                     {"count", &HeldUp::count},
                                     {"median_ns", [](auto& h) { return when(h.count > 0, h.median); }},
                                     {"longest_ns", [](auto& h) { return when(h.count > 0, h.longest); }},
                                 }};

using Handler = std::pair<std::string, std::uint64_t>;
const StudyShape<Handler> kHandler{"handler",
                                   {{"name", &Handler::first}, {"count", &Handler::second, "of its requests"}}};

const StudyShape<TimePoint> kTimePoint{"time_point",
                                       {
                                           {"from_ns", &TimePoint::from},
                                           {"count", &TimePoint::count},
                                           {"errors", &TimePoint::errors},
                                           {"p50_ns", [](auto& p) { return when(p.count > 0, p.p50); }},
                                           {"p99_ns", [](auto& p) { return when(p.count > 0, p.p99); }},
                                           {"max_ns", [](auto& p) { return when(p.count > 0, p.max); }},
                                       }};

const StudyShape<RouteStudy>& all() {
  static const StudyShape<RouteStudy> shape{
      "all",
      {
          {"requests", estimate_shape(), [](auto& r) { return scaled(r.all, 1); }},
          {"per_second", estimate_shape(),
           [](auto& r) { return scaled(r.all, r.per_second > 0 ? static_cast<double>(r.count) / r.per_second : 0); }},
      }};
  return shape;
}

}  // namespace

const StudyShape<RouteStudy>& route_shape() {
  static const StudyShape<RouteStudy> shape{
      "route",
      {
          {"method", or_null(&RouteStudy::method)},
          {"route", or_null(&RouteStudy::route)},
          {"role", one_of<model::Role::client>(&RouteStudy::role)},
          {"comm", or_null(&RouteStudy::comm), "of the processes"},
          {"handlers", kHandler, &RouteStudy::handlers, "that served it; most first"},
          {"count", &RouteStudy::count, "requests with a duration, complete"},
          {"incomplete", &RouteStudy::incomplete},
          {"tainted", &RouteStudy::tainted},
          {"latency_tainted", &RouteStudy::latency_tainted},
          {"client_errors", &RouteStudy::client_errors},
          {"server_errors", &RouteStudy::server_errors},
          {"other_failures", &RouteStudy::other_failures},
          {"flow_control", kHeldUp, &RouteStudy::flow_control},
          {"behind_others", kHeldUp, &RouteStudy::behind_others},
          {"stream_limit", kHeldUp, &RouteStudy::stream_limit},
          {"dns", kHeldUp, &RouteStudy::dns},
          {"connect", kHeldUp, &RouteStudy::connect},
          {"tls_handshake", kHeldUp, &RouteStudy::tls_handshake},
          {"per_second", &RouteStudy::per_second},
          {"connections", &RouteStudy::connections},
          {"all", all(), [](auto& r) { return where(r.all.has_value(), r); },
           "where connections are sampled: as it would be without"},
          {"rpc", calls_shape(), &RouteStudy::calls},
          {"tail", tail_shape(), &RouteStudy::tail},
          {"load", load_shape(), &RouteStudy::load},
          {"latency", kQuantile, &RouteStudy::latency},
          {"first_byte", kQuantile, &RouteStudy::first_byte},
          {"independent_periods", [](auto& r) { return tenth(r.independent_periods); }},
          {"request_bytes", &RouteStudy::request_bytes},
          {"request_bytes_unknown", &RouteStudy::request_bytes_unknown, "requests"},
          {"response_bytes", &RouteStudy::response_bytes},
          {"response_bytes_unknown", &RouteStudy::response_bytes_unknown, "requests"},
          {"bands", kBand, bands_of},
          {"ccdf", curve_of, "ns, and the share of requests that took longer"},
          {"over_time", kTimePoint, &RouteStudy::over_time},
          {"slowest", slowest_of, "ids, slowest first"},
      }};
  return shape;
}

}  // namespace tailcap::report::study
