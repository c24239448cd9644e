#include "analyze/views/compare/slow_pairs.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "analyze/pipeline/request/detail.h"

namespace tailcap::views {
namespace {

using model::gate::Comparison;
using model::gate::GateVerdict;
using model::gate::Metric;
using model::gate::RouteComparison;
using model::gate::RouteRun;
using model::gate::Run;
using model::gate::RunObservation;

constexpr Metric kTail{Metric::Kind::p99, 0};

struct Wanted {
  std::size_t route = 0;
  Metric metric;
};

const model::gate::GateEstimate* estimate_of(const RouteComparison& route, const Metric& metric) {
  for (const auto& row : route.metrics)
    if (row.metric == metric && row.estimate.levels) return &row.estimate;
  return nullptr;
}

std::vector<Wanted> wanted_of(const Comparison& c) {
  std::vector<Wanted> out;
  const auto add = [&](std::size_t route, const Metric& metric) {
    const bool there = std::any_of(out.begin(), out.end(), [&](const Wanted& w) { return w.route == route; });
    if (!there && out.size() < kMostSlowPairs && c.routes[route].absent.empty()) out.push_back({route, metric});
  };
  for (const auto& gate : c.gates)
    if (gate.verdict == GateVerdict::fail) add(gate.route, gate.gate.metric.quantile() ? gate.gate.metric : kTail);
  if (!out.empty()) return out;
  std::optional<std::size_t> most;
  double largest = -1;
  for (const auto& gate : c.gates) {
    if (!gate.found) continue;
    const auto* e = estimate_of(c.routes[gate.route], kTail);
    const double change = e && e->base > 0 ? std::abs(std::log(std::max(1.0, e->fresh) / e->base)) : -1;
    if (change <= largest) continue;
    largest = change;
    most = gate.route;
  }
  if (most) add(*most, kTail);
  return out;
}

// The request whose duration is nearest to `level`.
std::optional<report::SlowRequest> nearest(std::span<const Run> runs, const model::gate::RouteName& name,
                                           double level) {
  const Run* of_run = nullptr;
  const RouteRun* of_route = nullptr;
  const RunObservation* found = nullptr;
  const auto distance = [&](const RunObservation& o) { return std::abs(static_cast<double>(o.duration) - level); };
  for (const Run& run : runs)
    for (const RouteRun& route : run.routes) {
      if (route.name != name) continue;
      for (const RunObservation& o : route.requests) {
        if (o.duration < 0 || (found && distance(o) >= distance(*found))) continue;
        of_run = &run;
        of_route = &route;
        found = &o;
      }
    }
  if (!found) return std::nullopt;
  pipeline::Replay replay(of_run->path, 0);
  const pipeline::Look look = pipeline::look(replay, found->id);
  if (!look.detail) return std::nullopt;
  report::SlowRequest out;
  out.path = of_run->path;
  out.id = found->id;
  out.duration = found->duration;
  const auto first = of_route->accounts.begin() + found->accounts_at;
  out.accounts.assign(first, first + found->accounts_n);
  out.waterfall = report::waterfall(*look.detail, look.study);
  return out;
}

}  // namespace

std::vector<report::SlowPair> slow_pairs(const Comparison& c, std::span<const Run> base, std::span<const Run> fresh) {
  std::vector<report::SlowPair> out;
  for (const Wanted& wanted : wanted_of(c)) {
    const RouteComparison& route = c.routes[wanted.route];
    const auto* levels = estimate_of(route, wanted.metric);
    if (!levels) continue;
    auto before = nearest(base, route.name, levels->base), after = nearest(fresh, route.name, levels->fresh);
    if (!before || !after) continue;
    out.push_back({route.name, std::string(name_of(wanted.metric)), std::move(*before), std::move(*after)});
  }
  return out;
}

}  // namespace tailcap::views
