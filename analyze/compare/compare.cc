#include "analyze/compare/compare.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "analyze/compare/blocks.h"
#include "analyze/compare/comparability.h"
#include "analyze/compare/curve.h"
#include "analyze/compare/default_gates.h"
#include "analyze/compare/duet.h"
#include "analyze/compare/estimate.h"
#include "analyze/compare/functions.h"
#include "analyze/compare/gates.h"
#include "analyze/compare/run_sample.h"
#include "analyze/compare/several_tests.h"
#include "analyze/model/statistics/whole_parts.h"

namespace tailcap::compare {
namespace {

using model::gate::AccountRow;
using model::gate::AccountTable;
using model::gate::CallRow;
using model::gate::CompareOptions;
using model::gate::Comparison;
using model::gate::GateEstimate;
using model::gate::GateResult;
using model::gate::kAccounts;
using model::gate::Method;
using model::gate::Metric;
using model::gate::RouteComparison;
using model::gate::RouteName;
using model::gate::RouteRun;
using model::gate::Run;

using Runs = std::vector<const Run*>;  // of a duet: the runs of both sides in the order of the pairs
constexpr double kMostLengths = 1.2;   // longest run to shortest
constexpr std::size_t kBlockers = 20, kCallees = 20;

// One route in the runs of both sides.
struct Route {
  std::array<std::vector<const RouteRun*>, 2> runs;
  SidesOfRoute samples;
  RunFacts facts;
  std::vector<RunSample> noise;
};

double share(std::uint64_t part, std::uint64_t rest) {
  return part == 0 ? 0 : static_cast<double>(part) / static_cast<double>(part + rest);
}

void gather_facts(const Route& route, const Runs& base, const Runs& fresh, RunFacts& out) {
  out.base_runs = base.size();
  out.fresh_runs = fresh.size();
  out.least_requests = SIZE_MAX;
  std::array<std::uint64_t, 2> doubtful{}, requests{};
  for (std::size_t side = 0; side < 2; ++side)
    for (std::size_t i = 0; i < route.runs[side].size(); ++i) {
      const RouteRun& run = *route.runs[side][i];
      out.least_requests = std::min(out.least_requests, route.samples[side][i].size());
      out.decorrelation = std::max(out.decorrelation, run.decorrelation);
      doubtful[side] += run.doubtful;
      requests[side] += run.requests.size();
      out.most_in_flight = std::max(out.most_in_flight, share(run.in_flight, run.requests.size()));
    }
  out.least_seconds = 1e300;
  for (const Runs& runs : {base, fresh})
    for (const Run* run : runs) out.least_seconds = std::min(out.least_seconds, run->seconds);
  out.base_doubtful = share(doubtful[0], requests[0]);
  out.fresh_doubtful = share(doubtful[1], requests[1]);
}

// The means of the runs' means as whole numbers that sum to the total's.
std::vector<std::int64_t> whole_means(const std::vector<const Accounts*>& runs) {
  std::vector<double> means(kAccounts);
  for (const Accounts* run : runs)
    for (std::size_t a = 0; a < kAccounts; ++a) means[a] += (*run)[a] / static_cast<double>(runs.size());
  return model::whole_parts(means);
}

enum class OfRequests : std::uint8_t { all, slow, own };

AccountTable account_table(const Route& route, OfRequests which, Pairs pairs, double alpha) {
  const bool slow = which != OfRequests::all;
  AccountTable out;
  std::array<std::vector<const Accounts*>, 2> runs;
  std::array<bool, 2> at_least{};
  for (std::size_t side = 0; side < 2; ++side)
    for (const RunSample& run : route.samples[side]) {
      if (run.size() == 0 || (slow && run.slow() == 0)) return out;
      at_least[side] = at_least[side] || run.broken_off() > kMostBroken;
      runs[side].push_back(which == OfRequests::all    ? &run.accounts()
                           : which == OfRequests::slow ? &run.slow_accounts()
                                                       : &run.own_accounts());
    }
  if (runs[0].empty() || runs[1].empty()) return out;
  out.known = true;
  const auto base = whole_means(runs[0]), fresh = whole_means(runs[1]);
  for (std::size_t a = 0; a < kAccounts; ++a) {
    out.base += base[a];
    out.fresh += fresh[a];
    const auto in_any = [&](const auto& side) {
      return std::any_of(side.begin(), side.end(), [&](const Accounts* run) { return (*run)[a] > 0; });
    };
    if (!in_any(runs[0]) && !in_any(runs[1])) continue;
    AccountRow row;
    row.account = a;
    row.base = base[a];
    row.fresh = fresh[a];
    std::array<std::vector<RunValue>, 2> of;
    for (std::size_t side = 0; side < 2; ++side)
      for (const Accounts* run : runs[side]) {
        RunValue value;
        value.known = true;
        value.at_least = at_least[side];
        value.value = value.level = (*run)[a];
        value.floor = 1;
        of[side].push_back(value);
      }
    row.estimate = estimate({Metric::Kind::label, static_cast<std::uint8_t>(a)}, of[0], of[1], alpha, pairs);
    out.rows.push_back(std::move(row));
  }
  std::stable_sort(out.rows.begin(), out.rows.end(), [](const AccountRow& x, const AccountRow& y) {
    return std::abs(x.difference()) > std::abs(y.difference());
  });
  return out;
}

void add_blockers(const Route& route, RouteComparison& out) {
  std::map<std::pair<std::size_t, std::string>, std::int64_t> blockers;
  for (const RouteRun* run : route.runs[1])
    for (const auto& b : run->blockers) blockers[{b.account, b.text}] += b.time;
  for (const auto& [key, time] : blockers) out.blockers.push_back({key.first, key.second, time});
  std::stable_sort(out.blockers.begin(), out.blockers.end(),
                   [](const auto& x, const auto& y) { return x.time > y.time; });
  if (out.blockers.size() > kBlockers) out.blockers.resize(kBlockers);
}

void add_callees(const Route& route, RouteComparison& out) {
  std::map<std::string, std::array<std::uint64_t, 2>> callees;
  std::array<double, 2> requests{};
  for (std::size_t side = 0; side < 2; ++side)
    for (const RouteRun* run : route.runs[side]) {
      requests[side] += static_cast<double>(run->requests.size());
      for (const auto& [name, calls] : run->callees) callees[name][side] += calls;
    }
  // One division: two calls in each request are 2, not a sum of fractions beside it.
  const auto per_request = [&](std::uint64_t calls, std::size_t side) {
    return requests[side] > 0 ? static_cast<double>(calls) / requests[side] : 0;
  };
  for (const auto& [name, calls] : callees)
    out.callees.push_back({name, per_request(calls[0], 0), per_request(calls[1], 1)});
  std::stable_sort(out.callees.begin(), out.callees.end(),
                   [](const auto& x, const auto& y) { return std::abs(x.difference()) > std::abs(y.difference()); });
  if (out.callees.size() > kCallees) out.callees.resize(kCallees);
}

// The calls of a run that may belong to any request that was under way. count: of calls.
double undecided_per_request(const Route& route, const Runs& base, const Runs& fresh, std::size_t count) {
  double most = 0;
  for (std::size_t side = 0; side < 2; ++side)
    for (std::size_t i = 0; i < route.samples[side].size(); ++i) {
      const Run& run = side == 0 ? *base[i] : *fresh[i];
      if (const std::size_t n = route.samples[side][i].size(); n > 0)
        most = std::max(most, static_cast<double>(run.undecided(count)) / static_cast<double>(n));
    }
  return most;
}

// What is needed of the whole comparison for each estimate.
struct Frame {
  Runs base, fresh, noise;
  Method method = Method::runs_welch;
  double alpha;
  Pairs pairs() const { return method == Method::duet_paired ? Pairs::yes : Pairs::no; }
};

Noise noise_of(const Route& route, const Metric& metric) { return noise_of(metric, run_values(route.noise, metric)); }

GateEstimate estimate_of(const Route& route, const Metric& metric, const Frame& k) {
  const auto base = run_values(route.samples[0], metric), fresh = run_values(route.samples[1], metric);
  GateEstimate out = estimate(metric, base, fresh, k.alpha, k.pairs());
  if (k.method == Method::blocks && !out.exact && out.levels)
    out = estimate_by_blocks(metric, base.front(), fresh.front(), blocks_of(route.samples[0].front(), metric),
                             blocks_of(route.samples[1].front(), metric), noise_of(route, metric), k.alpha);
  if (out.known && metric.kind == Metric::Kind::count && model::gate::of_calls(metric.which))
    out.slack = undecided_per_request(route, k.base, k.fresh, metric.which);
  for (const auto& side : {base, fresh})
    for (const RunValue& run : side)
      if (out.known) out.slack = std::max(out.slack, run.slack);
  return out;
}

const RouteRun* named(const RouteName& name, const Run& run) {
  const auto at = std::find_if(run.routes.begin(), run.routes.end(), [&](const auto& r) { return r.name == name; });
  return at == run.routes.end() ? nullptr : &*at;
}

Route find(const RouteName& name, const Frame& k, RouteComparison& out) {
  const Runs &base = k.base, &fresh = k.fresh;
  Route route;
  out.name = name;
  std::size_t least = SIZE_MAX, most = 0;
  std::array<std::size_t, 2> without{};
  for (std::size_t side = 0; side < 2; ++side)
    for (const Run* run : side == 0 ? base : fresh) {
      const RouteRun* at = named(name, *run);
      if (!at) {
        ++without[side];
        continue;
      }
      route.runs[side].push_back(at);
      const std::size_t n = timed(*at);
      least = std::min(least, n);
      most = std::max(most, n);
      (side == 0 ? out.base_requests : out.fresh_requests).push_back(n);
      out.bursts += at->bursts;
      out.decorrelation = std::max(out.decorrelation, at->decorrelation);
    }
  if (without[0] + without[1] > 0) {
    out.absent = without[0] == base.size()    ? "only the new runs have it"
                 : without[1] == fresh.size() ? "only the runs of the base have it"
                                              : std::to_string(without[0] + without[1]) + " of " +
                                                    std::to_string(base.size() + fresh.size()) + " runs do not have it";
    return route;
  }
  if (static_cast<double>(most) > kMostLengths * static_cast<double>(least)) out.compared = least;
  for (std::size_t side = 0; side < 2; ++side)
    for (const RouteRun* run : route.runs[side])
      // Nothing of a run without any request with a duration can be cut to: its values say why they are missing.
      route.samples[side].emplace_back(*run, RunSample::first(*run, out.compared));
  for (const Run* run : k.noise)
    if (const RouteRun* at = named(name, *run)) route.noise.emplace_back(*at, at->requests);
  gather_facts(route, base, fresh, route.facts);
  return route;
}

Method method_of(std::span<const Run> base, std::span<const Run> fresh, const CompareOptions& options) {
  if (options.method) return *options.method;
  if (options.self) return Method::runs_welch;
  if (any_of_duet(base, fresh)) return Method::duet_paired;
  return base.size() == 1 && fresh.size() == 1 ? Method::blocks : Method::runs_welch;
}

Runs pointers(std::span<const Run> runs) {
  Runs out;
  for (const Run& run : runs) out.push_back(&run);
  return out;
}

// The sides as they are, and what stands against comparing them.
Frame frame_of(std::span<const Run> base, std::span<const Run> fresh, std::span<const Run> noise, Comparison& out) {
  Frame k{pointers(base), pointers(fresh), pointers(noise), method_of(base, fresh, out.options), out.options.level};
  compare_sides(base, fresh, out);
  if (k.method == Method::blocks && (base.size() != 1 || fresh.size() != 1)) {
    out.obstacles.push_back("the method blocks compares one capture a side");
    k.method = Method::runs_welch;
  }
  if (k.method == Method::blocks) compare_noise(base, fresh, noise, out);
  if (k.method == Method::duet_paired) {
    const auto pairs = pairs_of(base, fresh, out);
    if (pairs.empty())
      k.method = Method::runs_welch;
    else
      for (std::size_t i = 0; i < pairs.size(); ++i) k.fresh[i] = &fresh[pairs[i]];
  }
  out.method = k.method;
  return k;
}

// The gates, and the part of the level that each test has: what is exact has no chance in it, and takes none.
void set_gates(const std::vector<Route>& routes, Frame& k, Comparison& out) {
  out.gates = expand(out);
  if (out.options.gates.empty())
    add_default_gates(out, [&](std::size_t i) -> const SidesOfRoute& { return routes[i].samples; });
  const auto tests = std::count_if(out.gates.begin(), out.gates.end(), [&](const GateResult& gate) {
    return !out.options.gates.empty() || !gate.gate.metric.counted() || gate.gate.metric.of_process();
  });
  k.alpha = out.options.level / static_cast<double>(std::max<std::ptrdiff_t>(1, tests));
}

// Calls whose parent is not known are in no number of a route, but in that of all incoming requests.
void count_calls(const Frame& k, Comparison& out) {
  const auto undecided = [](const Run* run) { return run->undecided_calls > 0; };
  if (std::none_of(k.base.begin(), k.base.end(), undecided) && std::none_of(k.fresh.begin(), k.fresh.end(), undecided))
    return;
  for (const RouteComparison& route : out.routes) {
    if (route.name.role != model::Role::client || !route.absent.empty()) continue;
    std::array<std::vector<RunValue>, 2> of;
    for (std::size_t side = 0; side < 2; ++side)
      for (const Run* run : side == 0 ? k.base : k.fresh) {
        const RouteRun* calls = named(route.name, *run);
        RunValue value;
        value.known = calls && run->requests > 0;
        if (value.known)
          value.value = value.level = static_cast<double>(calls->requests.size() + calls->doubtful + calls->in_flight) /
                                      static_cast<double>(run->requests);
        of[side].push_back(value);
      }
    const Metric metric = Metric::of(model::gate::Count::calls);
    if (CallRow row{route.name, estimate(metric, of[0], of[1], k.alpha, k.pairs())}; row.estimate.known)
      out.called.push_back(std::move(row));
  }
}

// What may interest beside the gates: at most 5 % false discoveries among all that is compared.
void notice(Comparison& out) {
  // How runs vary is assumed: such a share of false discoveries cannot be promised.
  if (out.method == Method::blocks && out.noise_runs < kLeastNoiseRuns) return;
  struct Candidate {
    GateEstimate* estimate;
    bool large;
  };
  std::vector<Candidate> all;
  std::vector<double> p;
  const auto add = [&](const Metric& metric, GateEstimate& e, double mean) {
    if (!e.known) return;
    all.push_back({&e, sure(e) && large(metric, e, mean)});
    p.push_back(e.p_two);
  };
  for (RouteComparison& route : out.routes) {
    for (auto& row : route.metrics) add(row.metric, row.estimate, 0);
    for (auto& row : route.all.rows)
      add({Metric::Kind::label, static_cast<std::uint8_t>(row.account)}, row.estimate,
          static_cast<double>(route.all.base));
  }
  for (CallRow& row : out.called) add(Metric::of(model::gate::Count::calls), row.estimate, 0);
  const auto adjusted = benjamini_hochberg(p);
  for (std::size_t i = 0; i < all.size(); ++i) all[i].estimate->noticed = all[i].large && adjusted[i] < kDiscoveries;
}

}  // namespace

Comparison compare(std::span<const Run> base, std::span<const Run> fresh, const CompareOptions& options,
                   std::span<const Run> noise) {
  Comparison out;
  out.options = options;
  Frame k = frame_of(base, fresh, noise, out);
  std::map<RouteName, std::uint64_t> names;
  for (const auto runs : {base, fresh})
    for (const Run& run : runs)
      for (const RouteRun& route : run.routes) names[route.name] += route.requests.size();
  std::vector<std::pair<RouteName, std::uint64_t>> order(names.begin(), names.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& x, const auto& y) { return x.second > y.second; });
  std::vector<Route> routes;
  for (const auto& [name, requests] : order) {
    out.routes.emplace_back();
    routes.push_back(find(name, k, out.routes.back()));
  }
  set_gates(routes, k, out);
  for (std::size_t i = 0; i < routes.size(); ++i) {
    RouteComparison& route = out.routes[i];
    if (!route.absent.empty()) continue;
    for (const Metric& metric : model::gate::route_metrics())
      route.metrics.push_back({metric, estimate_of(routes[i], metric, k)});
    route.all = account_table(routes[i], OfRequests::all, k.pairs(), k.alpha);
    route.slow = account_table(routes[i], OfRequests::slow, k.pairs(), k.alpha);
    route.own = account_table(routes[i], OfRequests::own, k.pairs(), k.alpha);
    route.base_curve = curve_of(routes[i].runs[0]);
    route.fresh_curve = curve_of(routes[i].runs[1]);
    add_blockers(routes[i], route);
    add_callees(routes[i], route);
  }
  for (GateResult& gate : out.gates) {
    if (!gate.found) continue;
    const RouteComparison& route = out.routes[gate.route];
    const Metric& metric = gate.gate.metric;
    if (!route.absent.empty()) {
      gate.missing.push_back(route.absent);
      continue;
    }
    gate.estimate = estimate_of(routes[gate.route], metric, k);
    gate.missing = shortfalls(metric, gate.estimate, routes[gate.route].facts, out);
    gate.longer_runs = needs_longer_runs(metric, gate.estimate, routes[gate.route].facts, out);
    if (k.method != Method::blocks || !gate.estimate.known || gate.estimate.exact) continue;
    if (const std::string missing = noise_of(routes[gate.route], metric).missing; !missing.empty())
      gate.missing.push_back(missing);
  }
  judge(out.gates, out);
  if (options.gates.empty()) leave_undecidable_out(out);
  if (load_role(out) == model::Role::server) count_calls(k, out);
  notice(out);
  compare_functions(k.base, k.fresh, k.pairs(), out);
  out.verdict = verdict_of(out.gates);
  return out;
}

}  // namespace tailcap::compare
