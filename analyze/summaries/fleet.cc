#include "analyze/summaries/fleet.h"

#include <algorithm>
#include <map>
#include <set>
#include <stdexcept>
#include <tuple>

#include "analyze/model/request.h"
#include "analyze/summaries/baseline.h"
#include "analyze/summaries/scorecard.h"
#include "analyze/summaries/series.h"

namespace tailcap::summaries {
namespace {

using formats::RouteCell;
using formats::Summary;
using formats::SummaryRoute;
using formats::SummaryWindow;
using model::FleetService;
using model::FleetStudy;
using model::ServiceHealth;
using model::TimeShare;

constexpr std::int64_t kFleetHour = 3'600'000'000'000;
constexpr std::uint64_t kFewest = 100;   // requests of a percentile that is compared, or drawn
constexpr std::size_t kSharesShown = 6;  // labels, or callees, of a service
constexpr double kLeastOfTime = 0.005;   // of a service's time: less is not listed
constexpr std::size_t kCourse = 72;      // hours

bool served(const SummaryRoute& route) {
  return route.role == model::name_of(model::Role::server) && route.service != formats::kOther;
}

// A part of the summary: its windows in [from, to).
Summary between(const Summary& all, std::int64_t from, std::int64_t to) {
  Summary out;
  out.window = all.window;
  out.windows.insert(all.windows.lower_bound(from), all.windows.lower_bound(to));
  return out;
}

std::optional<double> quantile_of(const formats::DurationSketch& durations, double q, std::uint64_t fewest) {
  return durations.count() < fewest ? std::nullopt : durations.quantile(q);
}

// Time of all requests, by name.
struct Spent {
  std::map<std::string, double> labels, callees;
  double requests = 0;
};

Spent spent_by(const Summary& all, const std::string& service, std::int64_t from, std::int64_t to) {
  Spent out;
  for (auto at = all.windows.lower_bound(from); at != all.windows.end() && at->first < to; ++at) {
    for (const auto& [route, cell] : at->second.routes) {
      if (!served(route) || route.service != service) continue;
      out.requests += static_cast<double>(cell.requests);
      for (const auto& [label, times] : cell.labels) out.labels[label] += static_cast<double>(times.sum());
    }
    for (const auto& [edge, cell] : at->second.edges)
      if (edge.from == service) out.callees[edge.to] += static_cast<double>(cell.durations.sum());
  }
  return out;
}

std::vector<TimeShare> shares_of(const std::map<std::string, double>& now, double requests,
                                 const std::map<std::string, double>& before, double requests_before) {
  std::vector<TimeShare> out;
  double all = 0;
  for (const auto& [name, ns] : now) all += ns;
  for (const auto& [name, ns] : now) {
    if (requests == 0 || ns < all * kLeastOfTime) continue;
    TimeShare& one = out.emplace_back();
    one.name = name;
    one.now = ns / requests;
    if (requests_before == 0) continue;
    const auto was = before.find(name);
    one.before = was == before.end() ? 0 : was->second / requests_before;
  }
  std::ranges::stable_sort(out, [](const auto& a, const auto& b) { return a.now > b.now; });
  if (out.size() > kSharesShown) out.resize(kSharesShown);
  return out;
}

// More requests than usual, or quicker ones, are no harm.
bool harms(const model::OutsideBand& outside) { return outside.above != (outside.metric == model::BandMetric::rate); }

class FleetJudge {
 public:
  FleetJudge(const Summary& all, const FleetOptions& options) : all_(all), options_(options) {}

  FleetStudy study() {
    out_.window = all_.window;
    if (all_.windows.empty()) return std::move(out_);
    if (kFleetHour % all_.window != 0)
      throw std::runtime_error("a fleet is judged by the hour, and the windows of these summaries do not end with it");
    out_.from = all_.windows.begin()->first;
    out_.to = all_.windows.rbegin()->first + all_.window;
    out_.latest = latest_begins(out_.from, out_.to, options_.latest);
    count();
    out_.with_limits = !options_.slos.empty();
    out_.scorecard = scorecard_of(all_, options_.slos);
    hold_against_baseline();
    for (const auto& [service, series] : series_by_service(all_, kFleetHour)) add_service(service, series);
    order_services();
    add_routes();
    add_edges();
    for (const auto& deployment : all_.deployments) out_.deployments.push_back(deployment);
    std::ranges::stable_sort(out_.deployments, [](const auto& a, const auto& b) { return a.at > b.at; });
    for (const auto& capture : all_.captures) out_.files.push_back({capture, {}});
    std::ranges::stable_sort(out_.files,
                             [](const auto& a, const auto& b) { return a.capture.began > b.capture.began; });
    return std::move(out_);
  }

 private:
  void count() {
    std::set<std::string> hosts;
    for (const auto& capture : all_.captures) {
      hosts.insert(capture.host);
      out_.lost = formats::saturated(out_.lost, capture.lost);
      out_.incomplete += !capture.whole;
    }
    out_.hosts = hosts.size();
    for (const auto& [start, window] : all_.windows)
      for (const auto& [route, cell] : window.routes)
        if (route.role == model::name_of(model::Role::server))
          out_.requests = formats::saturated(out_.requests, cell.requests);
  }

  void hold_against_baseline() {
    const Summary fresh = between(all_, out_.latest, out_.to);
    const Summary earlier = options_.usual ? Summary{} : between(all_, out_.from, out_.latest);
    const Summary& usual = options_.usual ? *options_.usual : earlier;
    if (usual.windows.empty()) {
      out_.no_baseline = "the summaries have nothing before the latest time";
      return;
    }
    out_.baseline = baseline_of(usual, &fresh, {});
    if (out_.baseline.days < kLeastDays)
      out_.no_baseline = "a baseline needs " + std::to_string(kLeastDays) + " whole days before the latest time, and " +
                         std::to_string(out_.baseline.days) + (out_.baseline.days == 1 ? " is there" : " are there");
  }

  const model::ServiceBaseline* baseline_of_service(const std::string& service) const {
    for (const auto& one : out_.baseline.services)
      if (one.service == service) return &one;
    return nullptr;
  }

  void add_service(const std::string& service, const Series& series) {
    FleetService& one = out_.services.emplace_back();
    one.service = service;
    SeriesPoint now;
    for (const auto& [start, point] : series) {
      if (start >= out_.latest) now.add(point);
      if (start >= out_.to - static_cast<std::int64_t>(kCourse) * kFleetHour && point.requests > 0)
        one.course.push_back(
            {start, point.requests, point.judged, point.failed, quantile_of(point.durations, 0.95, kFewest)});
    }
    one.requests = now.requests, one.judged = now.judged, one.failed = now.failed;
    one.seconds = static_cast<double>(now.covered) * 1e-9;
    one.p50 = quantile_of(now.durations, 0.5, 1);
    one.p95 = quantile_of(now.durations, 0.95, 400);
    one.p99 = quantile_of(now.durations, 0.99, 2000);
    judge(one);
    const std::int64_t from = one.health == ServiceHealth::not_well ? one.since : out_.latest;
    const Spent spent = spent_by(all_, service, from, out_.to), before = spent_by(all_, service, out_.from, from);
    one.labels = shares_of(spent.labels, spent.requests, before.labels, before.requests);
    one.callees = shares_of(spent.callees, spent.requests, before.callees, before.requests);
  }

  void judge(FleetService& one) {
    bool judged = false;
    std::int64_t since = INT64_MAX, until = 0;
    if (const auto* baseline = baseline_of_service(one.service)) {
      one.outside = baseline->outside;
      judged = baseline->checked > 0;
      for (const std::string& why : baseline->unknown) one.unjudged.push_back(why);
      for (const auto& outside : one.outside)
        if (harms(outside)) since = std::min(since, outside.from), until = std::max(until, outside.to);
    } else if (!out_.no_baseline.empty()) {
      one.unjudged.push_back(out_.no_baseline);
    }
    for (std::size_t i = 0; i < out_.scorecard.limits.size(); ++i) {
      const model::SloWeek& limit = out_.scorecard.limits[i];
      if (limit.service != one.service || !limit.of_period) continue;
      judged = judged || limit.missing.empty();
      if (limit.burning_since == 0 || limit.burning_until <= out_.latest) continue;
      one.limits.push_back(i);
      since = std::min(since, limit.burning_since), until = std::max(until, limit.burning_until);
    }
    if (since != INT64_MAX) {
      one.health = ServiceHealth::not_well;
      one.since = since;
      one.lasts = until > step_of(out_.to - 1, kFleetHour);
    } else if (judged) {
      one.health = ServiceHealth::well;
    }
  }

  void order_services() {
    std::ranges::stable_sort(out_.services, [](const FleetService& a, const FleetService& b) {
      const auto rank = [](const FleetService& s) {
        const double share = s.judged == 0 ? 0 : static_cast<double>(s.failed) / static_cast<double>(s.judged);
        return std::tuple(s.health, !s.lasts, -share, s.since);
      };
      return rank(a) < rank(b);
    });
  }

  void add_routes() {
    std::map<SummaryRoute, RouteCell> now;
    std::map<SummaryRoute, formats::DurationSketch> before;
    for (const auto& [start, window] : detail().windows)
      for (const auto& [route, cell] : window.routes) {
        if (!served(route)) continue;
        if (start >= out_.latest)
          formats::add_cell(now[route], cell);
        else if (start >= out_.latest - options_.latest)
          before[route].add(cell.all());
      }
    for (auto& [route, cell] : now)
      out_.routes.push_back({route, std::move(cell), quantile_of(before[route], 0.95, kFewest)});
    // Those that fail most, then those that are slower than before, then the slow ones.
    const auto rank = [](const model::FleetRoute& r) {
      const double share =
          r.now.judged == 0 ? 0 : static_cast<double>(r.now.failed) / static_cast<double>(r.now.judged);
      const auto p95 = quantile_of(r.now.all(), 0.95, kFewest);
      const double slower = p95 && r.before_p95 && *r.before_p95 > 0 ? *p95 / *r.before_p95 : 1;
      return std::tuple(share >= 0.01 ? -share : 0.0, slower >= 1.2 ? -slower : 0.0, -p95.value_or(0));
    };
    std::ranges::stable_sort(out_.routes, [&](const auto& a, const auto& b) { return rank(a) < rank(b); });
  }

  void add_edges() {
    std::map<formats::SummaryEdge, formats::CallCell> now;
    for (auto at = detail().windows.lower_bound(out_.latest); at != detail().windows.end(); ++at)
      for (const auto& [edge, cell] : at->second.edges) formats::add_cell(now[edge], cell);
    out_.edges.assign(now.begin(), now.end());
    std::ranges::stable_sort(out_.edges,
                             [](const auto& a, const auto& b) { return a.second.requests > b.second.requests; });
  }

  const Summary& detail() const { return options_.detail ? *options_.detail : all_; }

  const Summary& all_;
  const FleetOptions& options_;
  FleetStudy out_;
};

}  // namespace

std::int64_t latest_begins(std::int64_t from, std::int64_t to, std::int64_t latest) {
  return step_of(std::max(from, step_of(to - 1, kFleetHour) + kFleetHour - latest), kFleetHour);
}

FleetStudy fleet_of(const Summary& summary, const FleetOptions& options) {
  return FleetJudge(summary, options).study();
}

}  // namespace tailcap::summaries
