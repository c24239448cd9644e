#include "analyze/compare/sides/rank.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "analyze/model/label_group.h"

namespace tailcap::compare {
namespace {

using model::difference::CalleeContrast;
using model::difference::Contrast;
using model::difference::Difference;
using model::difference::RouteChange;
using model::difference::RouteDifference;
using MetricKind = model::gate::Metric::Kind;

// A failure weighs as much as this many times the time of all requests; a changed number of calls, as a part of it.
constexpr double kFailure = 3, kCalls = 0.1, kFunction = 0.5;

bool changed(const RouteDifference& r) {
  const auto any = [](const auto& all, auto get) {
    return std::ranges::any_of(all, [&](auto& x) { return get(x).changed; });
  };
  return any(
             r.metrics, [](auto& c) -> auto& { return c; }) ||
         any(
             r.callees, [](const CalleeContrast& c) -> auto& { return c.per_request; }) ||
         any(
             r.functions, [](auto& f) -> auto& { return f.time; });
}

// share: of the requests of both sides; mean: ns, of all requests.
double weight_of(const RouteDifference& r, double share, double mean) {
  double out = 0;
  for (const Contrast& c : r.metrics) {
    if (!c.changed) continue;
    if (c.metric.relative() && mean > 0) {
      // A p99 is that of a hundredth of the requests.
      const double part = c.metric.kind == MetricKind::own_p99 ? 0.01 : 1;
      out = std::max(out, part * std::abs(c.level[1] - c.level[0]) / mean);
    } else if (c.metric.share()) {
      out += kFailure * std::abs(c.change);
    } else {
      out += kCalls * std::min(1.0, std::abs(c.change));
    }
  }
  for (const CalleeContrast& c : r.callees)
    if (c.per_request.changed) out += kCalls * std::min(1.0, std::abs(c.per_request.change));
  for (const auto& f : r.functions)
    if (f.time.changed && mean > 0) out += kFunction * std::abs(f.time.change) / mean;
  return share * out;
}

bool same_way(const Contrast* a, const Contrast* b) {
  return a && b && a->changed && b->changed && (a->change > 0) == (b->change > 0);
}

// The time of the route changed most in calls.
bool waits_for_calls(const RouteDifference& r) {
  const Contrast* const own = r.find(MetricKind::own_mean);
  if (!own || !own->changed) return false;
  double by_calls = 0;
  for (const Contrast& label : r.labels)
    if (label.metric.which < model::kLabels &&
        model::group_of(static_cast<model::Label>(label.metric.which)) == model::LabelGroup::downstream)
      by_calls += label.change;
  return by_calls / (own->level[1] - own->level[0]) > 0.5;
}

bool calls(const RouteDifference& caller, const RouteDifference& served) {
  const std::string name = served.name.method + " " + served.name.route;
  return std::ranges::any_of(caller.callees, [&](const CalleeContrast& c) { return c.callee == name; });
}

// A caller that makes other calls than before has its own reason.
void explain(Difference& out) {
  for (RouteChange& change : out.changes) {
    const RouteDifference& route = out.routes[change.route];
    if (!waits_for_calls(route) ||
        std::ranges::any_of(route.callees, [](const auto& c) { return c.per_request.changed; }))
      continue;
    for (std::size_t i = 0; i < out.changes.size(); ++i) {
      const RouteDifference& other = out.routes[out.changes[i].route];
      if (&other == &route || !calls(route, other)) continue;
      if (!same_way(route.find(MetricKind::own_mean), other.find(MetricKind::own_mean))) continue;
      change.explained_by = static_cast<std::int32_t>(i);
      break;
    }
  }
}

}  // namespace

void rank_changes(Difference& out) {
  bool served[2] = {false, false};
  double requests = 0, time = 0, timed = 0;
  for (const RouteDifference& r : out.routes)
    for (std::size_t side = 0; side < 2; ++side)
      served[side] = served[side] || (r.name.role == model::Role::server && r.requests[side] > 0);
  const auto counts = [&](const RouteDifference& r) {
    return r.name.role == model::Role::server || !(served[0] && served[1]);
  };
  const auto both = [](const RouteDifference& r) { return static_cast<double>(r.requests[0] + r.requests[1]); };
  for (const RouteDifference& r : out.routes) {
    if (!counts(r)) continue;
    requests += both(r);
    if (const Contrast* own = r.find(MetricKind::own_mean); own && own->known) {
      time += own->level[0] * both(r);
      timed += both(r);
    }
  }
  for (std::size_t i = 0; i < out.routes.size(); ++i) {
    const RouteDifference& r = out.routes[i];
    if (!counts(r) || !changed(r) || requests == 0) continue;
    out.changes.push_back(
        {static_cast<std::uint32_t>(i), weight_of(r, both(r) / requests, timed > 0 ? time / timed : 0), -1});
  }
  std::ranges::stable_sort(out.changes, [](const auto& x, const auto& y) { return x.weight > y.weight; });
  explain(out);
  // What explains comes before what it explains.
  std::vector<RouteChange> ordered;
  constexpr std::int32_t kNowhere = -1, kUnderWay = -2;
  std::vector<std::int32_t> places(out.changes.size(), kNowhere);
  const auto place = [&](std::size_t i, auto& self) -> void {
    if (places[i] != kNowhere) return;
    places[i] = kUnderWay;
    RouteChange change = out.changes[i];
    if (change.explained_by >= 0) {
      self(static_cast<std::size_t>(change.explained_by), self);
      // Routes that call each other explain nothing.
      change.explained_by = std::max(kNowhere, places[static_cast<std::size_t>(change.explained_by)]);
    }
    places[i] = static_cast<std::int32_t>(ordered.size());
    ordered.push_back(change);
  };
  for (std::size_t i = 0; i < out.changes.size(); ++i) place(i, place);
  out.changes = std::move(ordered);
}

}  // namespace tailcap::compare
