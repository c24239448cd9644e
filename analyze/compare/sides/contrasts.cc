#include "analyze/compare/sides/contrasts.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <string>

#include "analyze/compare/several_tests.h"
#include "analyze/compare/sides/contrast_functions.h"
#include "analyze/compare/welch.h"
#include "analyze/model/statistics/least_change.h"

namespace tailcap::compare {
namespace {

using model::difference::CalleeContrast;
using model::difference::Contrast;
using model::difference::RouteDifference;
using model::gate::Count;
using model::gate::Metric;
using MetricKind = model::gate::Metric::Kind;

constexpr double kLeastError = 0.0025, kLeastFailed = 3;       // points; requests
constexpr double kLeastCalls = 0.05, kLeastBytesShare = 0.10;  // per request; of the size
constexpr double kLeastBytesMore = 64;
constexpr double kPower = 0.8;
// Numbers of a request that can be a change. The others vary with the machine, or are of a process.
constexpr Count kTested[] = {Count::calls,   Count::same_calls, Count::connects,     Count::tls_handshakes,
                             Count::lookups, Count::retries,    Count::failed_calls, Count::response_bytes};

bool bytes(const Metric& m) { return m.kind == MetricKind::count && model::gate::of_bytes(m.which); }

// freedom: of the standard errors of both sides.
void test(Contrast& c, Effect effect, double noise) {
  if (noise > 0) effect = widened(effect, noise * noise, HUGE_VAL);
  const auto shown = [&](double x) { return c.metric.relative() ? std::expm1(x) : x; };
  c.known = true;
  c.change = shown(effect.difference);
  c.low = shown(effect.bound(0.025));
  c.high = shown(effect.bound(0.975));
  c.p = effect.p_two();
  c.exact = effect.point();
  // Adjusted for how many there are by mark_changes().
  c.detectable = effect.se;
}

Effect effect_of(double difference, double a_se, double b_se, double a_df, double b_df) {
  const double a = a_se * a_se, b = b_se * b_se;
  Effect out;
  out.difference = difference;
  out.se = std::sqrt(a + b);
  out.df = a + b > 0 ? (a + b) * (a + b) / (a * a / a_df + b * b / b_df) : a_df + b_df;
  return out;
}

// Standard errors are those of the logarithms where the metric is relative.
Contrast contrast(const Metric& metric, const SideSample& a, const SideSample& b, const SideValue& va,
                  const SideValue& vb, double noise) {
  Contrast out{.metric = metric, .level = {va.value, vb.value}};
  if (metric.relative() && !(va.value > 0 && vb.value > 0)) {
    out.missing = "a time is 0";
    return out;
  }
  const double difference = metric.relative() ? std::log(vb.value / va.value) : vb.value - va.value;
  test(out, effect_of(difference, va.se, vb.se, a.freedom(), b.freedom()), noise);
  return out;
}

// The difference of the means, as a share of A's.
Contrast mean_contrast(const SideSample& a, const SideSample& b, const Surroundings& around) {
  const SideValue va = a.own_mean(), vb = b.own_mean();
  Contrast out = contrast({MetricKind::label}, a, b, va, vb, noise_of_own(a, b, around));
  out.metric = {MetricKind::own_mean};
  if (!(va.value > 0)) {
    out.known = false;
    out.missing = "the requests of A take no time";
    return out;
  }
  for (double* part : {&out.change, &out.low, &out.high, &out.detectable}) *part /= va.value;
  out.low = std::max(out.low, -1.0);
  return out;
}

void add_times(const SideSample& a, const SideSample& b, const Surroundings& around, RouteDifference& out) {
  out.metrics.push_back(mean_contrast(a, b, around));
  const SideValue pa = a.own_p99(), pb = b.own_p99();
  if (pa.known && pb.known) {
    out.metrics.push_back(contrast({MetricKind::own_p99}, a, b, pa, pb, noise_of_tail(a, b, around)));
  } else {
    Contrast missing{.metric = {MetricKind::own_p99}};
    missing.missing = std::to_string(std::min(a.size(), b.size())) + " requests on a side: a p99 needs " +
                      std::to_string(SideSample::kLeastOfP99);
    out.metrics.push_back(std::move(missing));
  }
  for (std::size_t account = 0; account < model::gate::kAccounts; ++account) {
    const SideValue la = a.label(account), lb = b.label(account);
    if (la.value == 0 && lb.value == 0) continue;
    out.labels.push_back(contrast({MetricKind::label, static_cast<std::uint8_t>(account)}, a, b, la, lb,
                                  noise_of_label(account, around) * std::max(la.value, lb.value)));
  }
  std::ranges::stable_sort(
      out.labels, [](const Contrast& x, const Contrast& y) { return std::abs(x.change) > std::abs(y.change); });
}

Contrast count_contrast(const Metric& metric, const SideSample& a, const SideSample& b, const SideValue& va,
                        const SideValue& vb, double slack) {
  const bool exact = va.constant && vb.constant;
  Contrast out = contrast(metric, a, b, va, vb, exact ? 0 : kCountNoise * std::max(va.value, vb.value));
  out.slack = slack;
  return out;
}

void add_counts(const RoutePair& pair, const SideSample& a, const SideSample& b, RouteDifference& out) {
  for (const bool failed : {true, false})
    out.metrics.push_back(
        contrast({failed ? MetricKind::errors : MetricKind::client_errors}, a, b, a.share(failed), b.share(failed), 0));
  // Calls with several possible parents may all be of this route.
  const auto slack = [&](std::size_t count) {
    const auto per_request = [&](const model::gate::Run& run, const SideSample& side) {
      return static_cast<double>(run.undecided(count)) / static_cast<double>(side.size());
    };
    return std::max(per_request(*pair.runs[0], a), per_request(*pair.runs[1], b));
  };
  for (const Count count : kTested) {
    const auto which = static_cast<std::size_t>(count);
    const Metric metric{MetricKind::count, static_cast<std::uint8_t>(which)};
    const SideValue va = a.count(which), vb = b.count(which);
    if (va.known && vb.known) {
      out.metrics.push_back(count_contrast(metric, a, b, va, vb, model::gate::of_calls(which) ? slack(which) : 0));
    } else {
      Contrast missing{.metric = metric};
      missing.missing = (va.known ? b : a).run().uncounted[which];
      if (missing.missing.empty()) missing.missing = "not known of every request";
      out.metrics.push_back(std::move(missing));
    }
  }
}

void contrast_callees(const std::vector<std::string>& callees, const SideSample& a, const SideSample& b, double slack,
                      RouteDifference& out) {
  const Metric calls{MetricKind::count, static_cast<std::uint8_t>(Count::calls)};
  for (std::size_t i = 0; i < callees.size(); ++i)
    out.callees.push_back({callees[i],
                           {a.calls_in_all(i), b.calls_in_all(i)},
                           count_contrast(calls, a, b, a.calls_of(i), b.calls_of(i), slack)});
  std::ranges::stable_sort(out.callees, [](const CalleeContrast& x, const CalleeContrast& y) {
    return std::abs(x.per_request.change) > std::abs(y.per_request.change);
  });
}

// Whether a change is worth a word. Without its p.
bool worth_saying(const Contrast& c, const RouteDifference& route) {
  const double size = std::abs(c.change), absolute = std::abs(c.level[1] - c.level[0]);
  const double most = std::max(c.level[0], c.level[1]);
  // The same threshold in both directions.
  const double relative = c.level[0] > 0 && c.level[1] > 0 ? most / std::min(c.level[0], c.level[1]) - 1 : HUGE_VAL;
  if (c.metric.kind == MetricKind::own_p99)
    return relative >= model::kLeastP99 && absolute >= static_cast<double>(model::kLeastP99Gap);
  if (c.metric.relative())
    return relative >= model::kLeastMedian && absolute >= static_cast<double>(model::kLeastMedianGap);
  if (c.metric.share()) {
    const double failed = std::max(c.level[0] * static_cast<double>(route.requests[0]),
                                   c.level[1] * static_cast<double>(route.requests[1]));
    return size >= kLeastError && failed >= kLeastFailed;
  }
  if (bytes(c.metric)) return size >= kLeastBytesMore && relative >= kLeastBytesShare;
  return size >= std::max(kLeastCalls, kLeastCalls * most) && size > c.slack;
}

// The change that kPower of such pairs show where `tests` are held against the level together.
double detectable(const Contrast& c, std::size_t tests) {
  Effect effect;
  effect.se = c.detectable;
  effect.df = 1e6;
  if (effect.point()) return 0;
  const double found = effect.detectable(kDifferenceLevel / 2 / static_cast<double>(std::max<std::size_t>(1, tests)));
  // A mean is compared as a difference, a percentile as a logarithm.
  return c.metric.kind == MetricKind::own_p99 ? std::expm1(found) : found;
}

// worth: whether a change that is no chance is worth a word.
void mark_family(const std::vector<std::pair<Contrast*, const RouteDifference*>>& family,
                 bool (*worth)(const Contrast&, const RouteDifference&)) {
  std::vector<double> p;
  for (const auto& [c, route] : family) p.push_back(c->p);
  const std::vector<double> adjusted = holm(p);
  for (std::size_t i = 0; i < family.size(); ++i) {
    auto& [c, route] = family[i];
    c->changed = adjusted[i] < kDifferenceLevel && worth(*c, *route);
    c->detectable = detectable(*c, family.size());
  }
}

}  // namespace

void contrast_route(const RoutePair& pair, const Surroundings& around, RouteDifference& out) {
  std::set<std::string> names;
  for (const auto* route : pair.routes)
    for (const auto& [name, calls] : route->callees) names.insert(name);
  const std::vector<std::string> callees(names.begin(), names.end());
  const SideSample a(*pair.routes[0], pair.runs[0]->seconds, callees);
  const SideSample b(*pair.routes[1], pair.runs[1]->seconds, callees);
  add_times(a, b, around, out);
  add_counts(pair, a, b, out);
  const Contrast* calls = out.find(MetricKind::count, static_cast<std::uint8_t>(Count::calls));
  if (calls && calls->known) contrast_callees(callees, a, b, calls->slack, out);
  out.functions = contrast_functions(pair, around);
  out.most_called = pair.routes[1]->most_called.empty() ? pair.routes[0]->most_called : pair.routes[1]->most_called;
}

void mark_changes(std::vector<RouteDifference>& routes) {
  std::vector<std::pair<Contrast*, const RouteDifference*>> times, counts, functions;
  for (RouteDifference& route : routes) {
    for (Contrast& c : route.metrics)
      if (c.known) (c.metric.relative() ? times : counts).emplace_back(&c, &route);
    for (CalleeContrast& callee : route.callees) counts.emplace_back(&callee.per_request, &route);
    for (auto& function : route.functions) functions.emplace_back(&function.time, &route);
    for (Contrast& label : route.labels) label.changed = label.p < 0.05;
  }
  for (auto* family : {&times, &counts}) mark_family(*family, worth_saying);
  mark_family(functions, worth_saying_of_function);
  for (RouteDifference& route : routes)
    for (Contrast& label : route.labels) label.detectable = detectable(label, 1);
}

}  // namespace tailcap::compare
