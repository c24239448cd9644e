#include "analyze/summaries/scorecard.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "analyze/model/gate/route_pattern.h"
#include "analyze/model/request.h"
#include "analyze/summaries/series.h"

namespace tailcap::summaries {
namespace {

using formats::SummaryRoute;
using model::Scorecard;
using model::ServiceWeek;
using model::SloWeek;
using model::gate::GateVerdict;
using model::gate::Metric;
using model::gate::Objective;
using model::gate::Slo;

constexpr std::int64_t kHour = 60 * model::gate::kMinute, kWeek = 7 * model::gate::kDay;
constexpr std::int64_t kMonday = 4 * model::gate::kDay;  // 1970-01-05
constexpr std::uint64_t kLeastScored = 50;               // requests, and as many that one alone breaks no limit
constexpr double kRounding = 1e-12;

// The requests that break an objective: at least, at most, of all that count.
struct Broken {
  double least = 0, most = 0, of = 0;
  double share() const { return of == 0 ? 0 : (least + most) / 2 / of; }
};

bool of_requests(const Objective& o) { return o.metric.share() || o.metric.quantile().has_value(); }
// The share of requests that may break it.
double allowed_by(const Objective& o) { return o.metric.share() ? o.limit : 1 - *o.metric.quantile(); }

Broken broken_in(const SeriesPoint& point, const Objective& o) {
  if (o.metric.share()) {
    const auto n = static_cast<double>(o.metric.kind == Metric::Kind::errors ? point.failed : point.client_errors);
    return {n, n, static_cast<double>(point.judged)};
  }
  const auto [least, most] = point.durations.longer_than(o.limit);
  return {static_cast<double>(least), static_cast<double>(most), static_cast<double>(point.durations.count())};
}

std::optional<double> value_in(const SeriesPoint& point, const Objective& o) {
  const auto n = static_cast<double>(point.durations.count());
  if (o.metric.share()) return point.judged == 0 ? std::nullopt : std::optional(broken_in(point, o).share());
  if (const auto q = o.metric.quantile()) return point.durations.quantile(*q);
  if (n == 0) return std::nullopt;
  const auto sum = static_cast<double>(point.durations.sum());
  if (o.metric.kind == Metric::Kind::mean) return sum / n;
  const auto at = point.labels.find(std::string(name_of(o.metric)));
  const double under = at == point.labels.end() ? 0 : static_cast<double>(at->second);
  return o.of_time ? (sum == 0 ? std::nullopt : std::optional(under / sum)) : under / n;
}

// Why summaries cannot judge it; empty: they can.
std::string not_held(const Objective& o) {
  const bool label = o.metric.kind == Metric::Kind::label && o.metric.which != model::gate::kNoAccount;
  if (label || o.metric.kind == Metric::Kind::mean || (of_requests(o) && !o.metric.of_own_time())) return {};
  return "summaries do not hold " + std::string(name_of(o.metric));
}

void judge(SloWeek& out, const SeriesPoint& point, const Objective& o) {
  out.requests = o.metric.share() ? point.judged : point.durations.count();
  out.missing = not_held(o);
  if (!out.missing.empty()) return;
  out.value = value_in(point, o);
  const bool requests = of_requests(o);
  const double allowed = requests ? allowed_by(o) : 0;
  const Broken broken = requests ? broken_in(point, o) : Broken{};
  if (requests && allowed > 0 && broken.of > 0) out.burn = broken.share() / allowed;
  const double needed = std::max(static_cast<double>(kLeastScored), allowed > 0 ? 1 / allowed : 0.0);
  if (!out.value || static_cast<double>(out.requests) < needed) {
    out.missing = "needs " + std::to_string(static_cast<std::uint64_t>(needed + 0.5)) + " requests";
    return;
  }
  if (!requests) {
    out.verdict = *out.value <= o.limit * (1 + kRounding) ? GateVerdict::pass : GateVerdict::fail;
    return;
  }
  const double limit = allowed * broken.of * (1 + kRounding);
  if (broken.most <= limit)
    out.verdict = GateVerdict::pass;
  else if (broken.least > limit)
    out.verdict = GateVerdict::fail;
  else
    out.missing = "the limit lies within the precision of the summary, 4.4 %";
}

// More of them break it than the limit allows, by three standard deviations: an hour with few requests proves nothing.
bool burns(const Broken& broken, const Objective& o) {
  return broken.least - 3 * std::sqrt(broken.least) > allowed_by(o) * broken.of;
}

class Scorer {
 public:
  Scorer(const formats::Summary& summary, std::vector<Slo> slos) : summary_(summary) { out_.slos = std::move(slos); }

  Scorecard score() {
    add_weeks();
    for (std::size_t s = 0; s < out_.slos.size(); ++s)
      for (const std::string& service : services_meant(out_.slos[s])) add_limits(s, service);
    return std::move(out_);
  }

 private:
  void add_weeks() {
    for (const auto& [service, series] : series_by_service(summary_, kWeek, kMonday)) {
      for (const auto& [week, point] : series) {
        if (point.requests == 0) continue;
        ServiceWeek one;
        one.service = service;
        one.week = week;
        one.covered = std::min(1.0, static_cast<double>(point.covered) / static_cast<double>(kWeek));
        one.days = days_with_requests(service, week);
        one.requests = point.requests;
        one.judged = point.judged;
        one.failed = point.failed;
        one.client_errors = point.client_errors;
        one.p50 = point.durations.quantile(0.5);
        if (point.durations.count() >= 400) one.p95 = point.durations.quantile(0.95);
        if (point.durations.count() >= 2000) one.p99 = point.durations.quantile(0.99);
        out_.weeks.push_back(std::move(one));
      }
    }
  }

  std::size_t days_with_requests(const std::string& service, std::int64_t week) const {
    std::set<std::int64_t> days;
    for (auto at = summary_.windows.lower_bound(week); at != summary_.windows.end() && at->first < week + kWeek; ++at)
      for (const auto& [route, cell] : at->second.routes)
        if (route.service == service && cell.requests > 0) days.insert(step_of(at->first, model::gate::kDay));
    return days.size();
  }

  bool means(const Slo& slo, const SummaryRoute& route, const std::string* service) const {
    const model::Role role = slo.role.value_or(model::Role::server);
    return route.role == model::name_of(role) && (!service || route.service == *service) &&
           route.service != formats::kOther && model::gate::matches_route(slo.route, route.method, route.route);
  }

  std::set<std::string> services_meant(const Slo& slo) const {
    std::set<std::string> out;
    for (const auto& [start, window] : summary_.windows)
      for (const auto& [route, cell] : window.routes)
        if (means(slo, route, nullptr)) out.insert(route.service);
    return out;
  }

  void add_limits(std::size_t s, const std::string& service) {
    const Slo& slo = out_.slos[s];
    const auto wanted = [&](const SummaryRoute& r) { return means(slo, r, &service); };
    const Series hours = series_of(summary_, std::max(kHour, summary_.window), wanted);
    std::map<std::int64_t, SeriesPoint> weeks;
    SeriesPoint period;
    const std::int64_t end = summary_.windows.rbegin()->first + summary_.window;
    for (const auto& [start, point] : hours) {
      weeks[step_of(start, kWeek, kMonday)].add(point);
      if (start >= end - slo.period) period.add(point);
    }
    for (std::size_t o = 0; o < slo.objectives.size(); ++o) {
      for (const auto& [week, point] : weeks)
        if (point.requests > 0) add_week(s, o, service, week, point, hours);
      add_period(s, o, service, end - slo.period, period, hours);
    }
  }

  void add_week(std::size_t s, std::size_t o, const std::string& service, std::int64_t week, const SeriesPoint& point,
                const Series& hours) {
    const Objective& objective = out_.slos[s].objectives[o];
    SloWeek& one = out_.limits.emplace_back();
    one.slo = s, one.objective = o, one.service = service, one.from = week;
    judge(one, point, objective);
    if (!one.burn) return;
    for (auto at = hours.lower_bound(week); at != hours.end() && at->first < week + kWeek; ++at) {
      const Broken broken = broken_in(at->second, objective);
      if (broken.of < static_cast<double>(kLeastScored)) continue;
      const double burn = broken.share() / allowed_by(objective);
      if (burn > one.worst_burn.value_or(0)) one.worst_burn = burn, one.worst_hour = at->first;
    }
  }

  void add_period(std::size_t s, std::size_t o, const std::string& service, std::int64_t from, const SeriesPoint& point,
                  const Series& hours) {
    const Objective& objective = out_.slos[s].objectives[o];
    SloWeek& one = out_.limits.emplace_back();
    one.slo = s, one.objective = o, one.service = service, one.from = from, one.of_period = true;
    judge(one, point, objective);
    if (!one.burn) return;
    one.budget_left = 1 - *one.burn;
    Broken sum;
    for (auto at = hours.lower_bound(from); at != hours.end(); ++at) {
      const Broken broken = broken_in(at->second, objective);
      if (allowed_by(objective) <= 0 || !burns(broken, objective)) continue;
      if (at->first != one.burning_until) one.burning_since = at->first, sum = {};
      one.burning_until = at->first + std::max(kHour, summary_.window);
      sum.least += broken.least, sum.most += broken.most, sum.of += broken.of;
      one.burning = sum.share() / allowed_by(objective);
    }
  }

  const formats::Summary& summary_;
  Scorecard out_;
};

}  // namespace

Scorecard scorecard_of(const formats::Summary& summary, std::vector<Slo> slos) {
  return Scorer(summary, std::move(slos)).score();
}

}  // namespace tailcap::summaries
