#include "analyze/compare/default_gates.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analyze/compare/estimate.h"
#include "analyze/compare/gates.h"
#include "analyze/compare/run_sample.h"

namespace tailcap::compare {
namespace {

using model::gate::Comparison;
using model::gate::Count;
using model::gate::Gate;
using model::gate::GateEstimate;
using model::gate::GateResult;
using model::gate::GateVerdict;
using model::gate::Metric;
using model::gate::RouteComparison;
using model::gate::RouteName;

constexpr Metric kTail{Metric::Kind::p99, 0}, kOwnTail{Metric::Kind::own_p99, 0}, kOwnMean{Metric::Kind::own_mean, 0},
    kErrors{Metric::Kind::errors, 0};
constexpr Metric kMemory = Metric::of(Count::memory),
                 kSleeps{Metric::Kind::waits, static_cast<std::uint8_t>(model::Label::timer_sleep)};
// Below: chance seldom makes such an increase. kSign: in one of all gates that are undecided; kTailSign: of p99 where
// own_p99 passes, so that only waits for a CPU can have made it longer.
constexpr double kSign = 0.1, kTailSign = 0.01;

std::string plain_name(const RouteName& name) { return (name.method.empty() ? "" : name.method + " ") + name.route; }

std::uint64_t least_of(const RouteComparison& route) {
  std::uint64_t least = UINT64_MAX;
  for (const auto* side : {&route.base_requests, &route.fresh_requests})
    for (const std::uint64_t n : *side) least = std::min(least, n);
  return least;
}

bool measured(const SidesOfRoute& runs, const Metric& metric) {
  return std::ranges::all_of(runs, [&](const auto& side) {
    return std::ranges::all_of(run_values(side, metric), [](const RunValue& run) { return run.known; });
  });
}

bool hidden_by_noise(const GateResult& g) {
  return g.verdict == GateVerdict::undecided && g.estimate.known && !g.estimate.exact;
}

// Noise hides what the gate is about, or calls of unknown parents do, and there is no sign of it. sign: p of one.
bool undecidable(const GateResult& g, const Comparison& c, double sign) {
  const GateEstimate& e = g.estimate;
  if (g.verdict != GateVerdict::undecided || !e.known) return false;
  if (e.exact) return e.difference <= 0 && e.slack > g.threshold;
  const auto own_passes = [&](const GateResult& other) {
    return other.route == g.route && other.gate.metric == kOwnTail && other.verdict == GateVerdict::pass;
  };
  if (g.gate.metric == kTail && std::ranges::any_of(c.gates, own_passes)) return e.p_above > kTailSign;
  // Programs differ in memory by more than a leak of some requests: it counts once it is seen.
  const bool noisy = g.gate.metric == kTail || g.gate.metric.of_own_time() || g.gate.metric.of_process();
  return e.p_above > sign && (noisy || e.mde > kMostDetectable * g.threshold);
}

std::string left_out_text(const GateResult& g, const RouteName& name) {
  const Metric& metric = g.gate.metric;
  const std::string what = std::string(name_of(metric)) + " of " + plain_name(name) + ": ";
  if (g.estimate.exact) return what + "calls without a known parent could be of this route; none more was seen";
  const auto amount = [&](double x) {
    if (metric == kMemory) return "+" + number(x / 1000) + " kB";
    if (metric.of_process()) return "+" + number(100 * x / g.estimate.base) + " %";
    return "+" + number(metric.relative() || metric.share() ? x * 100 : x) +
           (metric.relative() ? " %"
            : metric.share()  ? " points"
                              : "");
  };
  return what + "these runs show an increase of " + amount(g.estimate.mde) + " or more, and the limit is " +
         amount(g.threshold) + "; no significant increase was seen";
}

}  // namespace

std::vector<Gate> gates_on_counts() {
  std::vector<Gate> out;
  for (const Count which : {Count::calls, Count::connects, Count::lookups, Count::retries})
    out.push_back({Metric::of(which), "", kDefaultCount, Gate::Unit::absolute, ""});
  out.push_back({Metric::of(Count::failed_calls), "", kDefaultFailed, Gate::Unit::absolute, ""});
  out.push_back({Metric::of(Count::response_bytes), "", kDefaultIncrease, Gate::Unit::ratio, ""});
  // Waits for locks, disks and CPUs are more on a busy machine; how often a program sleeps is its own doing.
  out.push_back({kSleeps, "", kDefaultCount, Gate::Unit::absolute, ""});
  return out;
}

std::vector<Gate> gates_on_processes() {
  return {{Metric::of(Count::allocations), "", kDefaultAllocations, Gate::Unit::ratio, ""},
          {Metric::of(Count::process_cpu), "", kDefaultCpu, Gate::Unit::ratio, ""},
          {kMemory, "", kDefaultMemory, Gate::Unit::absolute, ""}};
}

void add_default_gates(Comparison& c, const std::function<const SidesOfRoute&(std::size_t)>& runs) {
  const model::Role role = load_role(c);
  const auto add = [&](const Gate& gate, std::size_t route) {
    c.gates.emplace_back();
    c.gates.back().gate = gate;
    c.gates.back().route = route;
    c.gates.back().found = true;
  };
  const auto is_meant = [&](const RouteComparison& route) { return route.name.role == role && route.absent.empty(); };
  for (std::size_t i = 0; i < c.routes.size(); ++i) {
    const RouteComparison& route = c.routes[i];
    if (route.name.role != role) continue;
    const std::string name = plain_name(route.name);
    if (!route.absent.empty())
      c.not_gated.push_back(name + ": " + route.absent);
    else if (const std::uint64_t least = least_of(route); least < least_requests(kTail))
      c.not_gated.push_back("p99 of " + name + ": " + requests_text(least) + " a run, " +
                            std::to_string(least_requests(kTail)) + " needed");
    else
      add({kTail, "", kDefaultIncrease, Gate::Unit::ratio, ""}, i);
    if (is_meant(route)) add({kErrors, "", kDefaultErrors, Gate::Unit::absolute, ""}, i);
    for (const Metric& metric : {kOwnTail, kOwnMean})
      if (is_meant(route) && least_of(route) >= least_requests(metric) && measured(runs(i), metric))
        add({metric, "", kDefaultOwn, Gate::Unit::ratio, ""}, i);
  }
  if (role != model::Role::server) return;
  for (std::size_t i = 0; i < c.routes.size(); ++i) {
    if (!is_meant(c.routes[i])) continue;
    const auto& [base_runs, fresh_runs] = runs(i);
    const bool several = std::min(base_runs.size(), fresh_runs.size()) >= c.options.min_runs;
    std::string vary;
    for (const Gate& gate : gates_on_counts()) {
      // What only some recordings know is no reason to leave a comparison undecided.
      if (gate.metric.of_carrier() && !measured(runs(i), gate.metric)) continue;
      const std::vector<RunValue> base = run_values(base_runs, gate.metric);
      if (never_varies(base) || (several && seldom_varies(base)))
        add(gate, i);
      else if (std::ranges::all_of(base, [](const RunValue& run) { return run.known; }))
        vary.append(vary.empty() ? "" : ", ").append(name_of(gate.metric));
    }
    if (!vary.empty()) c.not_gated.push_back(vary + " of " + plain_name(c.routes[i].name) + kVary);
  }
  std::map<std::vector<std::uint32_t>, std::size_t> programs;  // the route with most requests
  for (std::size_t i = 0; i < c.routes.size(); ++i) {
    if (!is_meant(c.routes[i])) continue;
    const auto [found, fresh] = programs.try_emplace(runs(i)[0].front().run().processes, i);
    if (!fresh && least_of(c.routes[i]) > least_of(c.routes[found->second])) found->second = i;
  }
  for (const Gate& gate : gates_on_processes())
    for (const auto& [processes, route] : programs)
      if (measured(runs(route), gate.metric)) add(gate, route);
}

void leave_undecidable_out(Comparison& c) {
  if (!c.obstacles.empty()) return;
  const double sign = kSign / std::max<double>(1, static_cast<double>(std::ranges::count_if(c.gates, hidden_by_noise)));
  std::vector<std::string> texts;
  std::vector<GateResult> judged;
  for (const GateResult& g : c.gates)
    if (undecidable(g, c, sign))
      texts.push_back(left_out_text(g, c.routes[g.route].name));
    else
      judged.push_back(g);
  if (judged.empty()) return;
  c.gates = std::move(judged);
  c.not_gated.insert(c.not_gated.begin(), texts.begin(), texts.end());
}

}  // namespace tailcap::compare
