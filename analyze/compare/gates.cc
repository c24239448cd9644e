#include "analyze/compare/gates.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "analyze/compare/blocks.h"
#include "analyze/compare/run_sample.h"
#include "analyze/compare/several_tests.h"
#include "analyze/model/gate/route_pattern.h"
#include "ground/text.h"

namespace tailcap::compare {
namespace {

using model::Role;
using model::gate::Comparison;
using model::gate::Gate;
using model::gate::GateEstimate;
using model::gate::GateResult;
using model::gate::GateVerdict;
using model::gate::Method;
using model::gate::Metric;
using model::gate::RouteName;

constexpr double kLeastSeconds = 5;
constexpr double kMostInFlight = 0.01;

// Not rounded up: 4.996 s are less than 5 s.
std::string decimals_below(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.2f", std::floor(seconds * 100) / 100);
  return text;
}

bool means(const Gate& gate, const RouteName& name) {
  return gate.exactly ? *gate.exactly == name : matches(gate.route, name);
}

constexpr double kMostTimes = 20;  // times the recordings; more is no advice

// Up to two digits that count.
double rounded_up(double x) {
  const double unit = std::pow(10, std::floor(std::log10(x)) - 1);
  return std::ceil(x / unit - 1e-9) * unit;
}

std::string more_time(const Metric& metric, double mde, double threshold) {
  const double times = mde / threshold * (mde / threshold);
  if (times <= kMostTimes) return "needs about " + number(std::max(times, 1.1)) + " × more time";
  return "the runs vary too much to decide it on this machine: raise the limit" +
         (metric.relative() ? " to +" + number(rounded_up(mde) * 100) + " %" : "") +
         ", or gate on calls, errors or CPU time";
}

void decide(GateResult& g, const Comparison& c) {
  const GateEstimate& e = g.estimate;
  const double t = g.threshold;
  // A comparison that finds only large changes says nothing, unless it has found one: the whole interval lies above.
  const bool obvious = g.p_holm < c.options.level && e.low - e.slack > t;
  if (!e.exact && t > 0 && e.mde > kMostDetectable * t && !obvious) {
    g.missing.push_back("the least detectable change is more than 3 times the threshold; " +
                        more_time(g.gate.metric, e.mde, t));
    return;
  }
  // What became slower was slower than a lower bound; what became faster is not known to be.
  const bool may_be_higher = e.base_at_least, may_be_slower = e.fresh_at_least;
  const bool increase = e.exact ? e.difference - e.slack > 0 : g.p_holm < c.options.level;
  const bool above = (c.options.strict ? e.low : e.difference) - e.slack > t;
  if (increase && above && !may_be_higher) {
    if (c.same_version.empty()) {
      g.verdict = GateVerdict::fail;
      return;
    }
    g.missing.push_back("both sides are " + c.same_version + ": a measurement of noise, in which nothing fails");
    return;
  }
  const double most = e.high + e.slack;
  if (!may_be_slower && (most < t || (e.exact && most <= t))) {
    g.verdict = GateVerdict::pass;
    return;
  }
  if (may_be_slower || (may_be_higher && above))
    g.missing.push_back(may_be_slower ? "requests of the new runs broke off, and could have lasted longer"
                                      : "requests of the base broke off, and could have lasted longer");
  else if (e.slack > 0 && g.gate.metric.of_duration() && e.high < t)
    g.missing.push_back("requests that broke off could have lasted longer");
  else if (e.slack > 0 && (e.exact || e.high < t))
    g.missing.push_back(model::gate::of_calls(g.gate.metric.which)
                            ? "calls without a known parent could be of this route"
                            : "the count is not known of all requests");
  else if (!(t > 0))
    g.missing.push_back("the count varies from request to request: a threshold above 0 can be decided");
  else if (above)
    g.missing.push_back("the increase is above the threshold, but not significant; " +
                        more_time(g.gate.metric, e.mde, e.difference));
  else if (e.mde > t)
    g.missing.push_back("the threshold lies within the interval; " + more_time(g.gate.metric, e.mde, t));
  else
    g.missing.push_back("the threshold lies within the interval; the change is about as large as the threshold");
}

}  // namespace

double threshold_of(const Gate& gate, const GateEstimate& estimate) {
  const bool ratio = gate.unit == Gate::Unit::ratio;
  if (gate.metric.relative()) return ratio || !(estimate.base > 0) ? gate.threshold : gate.threshold / estimate.base;
  return ratio ? gate.threshold * estimate.base : gate.threshold;
}

std::string number(double x) {
  char text[32];
  std::snprintf(text, sizeof text, x >= 100 ? "%.0f" : "%.2g", x);
  return text;
}

std::size_t least_requests(const Metric& metric) {
  switch (metric.kind) {
    case Metric::Kind::p99:
    case Metric::Kind::own_p99:
      return 500;
    case Metric::Kind::p95:
      return 100;
    case Metric::Kind::p50:
    case Metric::Kind::mean:
    case Metric::Kind::own_mean:
    case Metric::Kind::label:
      return 50;
    default:
      return 1;
  }
}

Role load_role(const Comparison& c) {
  const bool served = std::any_of(c.routes.begin(), c.routes.end(),
                                  [](const auto& r) { return r.name.role == Role::server && r.absent.empty(); });
  return served ? Role::server : Role::client;
}

bool matches(const std::string& pattern, const RouteName& name) {
  return model::gate::matches_route(pattern, name.method, name.route);
}

std::vector<GateResult> expand(const Comparison& c) {
  std::vector<GateResult> out;
  const Role role = load_role(c);
  const auto add = [&](const Gate& gate, std::size_t route) {
    GateResult g;
    g.gate = gate;
    g.route = route;
    g.found = true;
    out.push_back(std::move(g));
  };
  for (const Gate& gate : c.options.gates) {
    const std::size_t before = out.size();
    for (const Role r : {role, role == Role::server ? Role::client : Role::server}) {
      for (std::size_t i = 0; i < c.routes.size(); ++i)
        if (c.routes[i].name.role == r && means(gate, c.routes[i].name)) add(gate, i);
      if (out.size() > before) break;
    }
    if (out.size() > before) continue;
    GateResult none;
    none.gate = gate;
    none.missing.push_back("no request of this route was recorded");
    out.push_back(std::move(none));
  }
  return out;
}

namespace {

double least_seconds(const RunFacts& f) { return std::max(kLeastSeconds, kDecorrelations * f.decorrelation); }

}  // namespace

bool needs_longer_runs(const Metric& metric, const GateEstimate& e, const RunFacts& f, const Comparison& c) {
  return e.known && !e.exact && c.method != Method::blocks &&
         (f.least_requests < least_requests(metric) || f.least_seconds < least_seconds(f));
}

std::vector<std::string> shortfalls(const Metric& metric, const GateEstimate& e, const RunFacts& f,
                                    const Comparison& c) {
  std::vector<std::string> out;
  const double e_most = std::max(f.base_doubtful, f.fresh_doubtful),
               e_least = std::min(f.base_doubtful, f.fresh_doubtful);
  if (e_most > 0.001 && e_most > 2 * e_least)
    out.push_back("loss differs: the duration of " + ground::share_text(f.base_doubtful) +
                  " of the requests of the base is in doubt, and of " + ground::share_text(f.fresh_doubtful) +
                  " of the new runs");
  const double q = metric.quantile().value_or(0.99);
  if (metric.of_duration() && e_most >= 1 - q)
    out.push_back("the duration of " + ground::share_text(e_most) +
                  " of the requests is unknown or in doubt; they could all be slower");
  if (metric.of_duration() && f.most_in_flight > kMostInFlight && (q >= 0.99 || f.most_in_flight >= 1 - q))
    out.push_back(ground::share_text(f.most_in_flight) + " of the requests were cut off by the end of the recording");
  if (!e.known) {
    out.push_back(e.missing);
    return out;
  }
  if (e.exact) return out;
  // Blocks have rules of their own: without enough of them, the estimate is not known.
  if (c.method == Method::blocks) return out;
  const std::size_t runs = std::min(f.base_runs, f.fresh_runs);
  if (runs < c.options.min_runs)
    out.push_back(std::to_string(runs) + " runs a side: needs " + std::to_string(c.options.min_runs));
  if (f.least_requests < least_requests(metric))
    out.push_back(requests_text(f.least_requests) + " in a run: needs " + std::to_string(least_requests(metric)));
  if (f.least_seconds < least_seconds(f))
    out.push_back("a run of " + decimals_below(f.least_seconds) + " s without its warm-up: needs " +
                  number(std::ceil(least_seconds(f))) + " s");
  if (!c.interleaved && !c.options.allow_sequential)
    out.push_back("the runs are not interleaved (ABBA), so drift of the machine looks like a change");
  return out;
}

void judge(std::vector<GateResult>& gates, const Comparison& c) {
  // What is exact has no chance in it, and takes no part of the level away from what has.
  std::vector<double> p;
  std::vector<std::size_t> decided, tested;
  for (std::size_t i = 0; i < gates.size(); ++i) {
    gates[i].threshold = threshold_of(gates[i].gate, gates[i].estimate);
    if (!gates[i].missing.empty() || !gates[i].estimate.known) continue;
    decided.push_back(i);
    gates[i].p_holm = gates[i].estimate.p_above;
    if (gates[i].estimate.exact) continue;
    tested.push_back(i);
    p.push_back(gates[i].estimate.p_above);
  }
  const std::vector<double> adjusted = holm(p);
  for (std::size_t n = 0; n < tested.size(); ++n) gates[tested[n]].p_holm = adjusted[n];
  for (const std::size_t i : decided) {
    gates[i].missing = c.obstacles;
    if (!gates[i].estimate.exact) gates[i].missing.insert(gates[i].missing.end(), c.uneven.begin(), c.uneven.end());
    if (gates[i].missing.empty()) decide(gates[i], c);
  }
}

GateVerdict verdict_of(std::span<const GateResult> gates) {
  bool pass = !gates.empty();
  for (const GateResult& g : gates) {
    if (g.verdict == GateVerdict::fail) return GateVerdict::fail;
    pass = pass && g.verdict == GateVerdict::pass;
  }
  return pass ? GateVerdict::pass : GateVerdict::undecided;
}

}  // namespace tailcap::compare
