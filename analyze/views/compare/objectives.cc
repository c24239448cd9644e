#include "analyze/views/compare/objectives.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include "analyze/compare/gates.h"
#include "analyze/compare/run_sample.h"
#include "analyze/compare/welch.h"
#include "analyze/model/statistics/t_distribution.h"
#include "analyze/model/study/cut_note.h"
#include "analyze/tail/rows/quantiles.h"

namespace tailcap::views {
namespace {

using model::gate::Assertion;
using model::gate::DecideBy;
using model::gate::GateVerdict;
using model::gate::Metric;
using model::gate::Objective;
using model::gate::ObjectiveResult;
using model::gate::RouteRun;
using model::gate::Run;
using model::gate::RunObservation;

constexpr double kAlpha = 0.025;  // each side of a 95 % interval
constexpr std::size_t kBlocks = 20;
constexpr double kCorrelations = 5;       // autocorrelation times in a block
constexpr double kMostBroken = 0.01;      // of the requests: where the time of the others went says little of all
constexpr std::size_t kLeastErrors = 30;  // requests that count as independent
constexpr double kLeastObserved = 50;     // requests, and as many that one alone breaks no limit

// Where the value of the capture lies, whatever happened to its requests whose end is not known.
struct Observed {
  double value = 0, least = 0, most = 0;
  double requests = 0, needed = kLeastObserved;
};

std::string whole(double n) { return std::to_string(static_cast<std::uint64_t>(std::max(0.0, n))); }

std::uint64_t broken_off(const RouteRun& route) {
  return static_cast<std::uint64_t>(std::count_if(route.requests.begin(), route.requests.end(),
                                                  [](const RunObservation& o) { return o.at_least >= 0; }));
}

std::optional<Observed> quantile(const RouteRun& route, const Run& run, double q, ObjectiveResult& out) {
  std::vector<std::int64_t> durations;
  tail::WithoutEnd without_end{.broken = {}, .cut_off = route.cut_off};
  for (const RunObservation& o : route.requests) {
    if (o.at_least >= 0) without_end.broken.push_back(o.at_least);
    if (o.duration >= 0 || o.at_least >= 0) durations.push_back(std::max(o.duration, o.at_least));
  }
  const tail::Sample sample(std::move(durations), {}, std::move(without_end));
  const tail::Shortfall shortfall{route.doubtful, route.in_flight, run.seconds};
  const model::Quantile found = sample.quantile(q, shortfall);
  out.value = static_cast<double>(found.value.count());
  out.low = static_cast<double>(found.low.count());
  out.high = static_cast<double>(found.high.count());
  out.known = found.support != model::Support::refused;
  out.at_least = found.support == model::Support::at_least;
  out.upper = found.support == model::Support::full;
  out.interval = out.upper || found.support == model::Support::lower_only || (out.at_least && found.low.count() > 0);
  if (!out.upper) out.missing.push_back(found.reason);
  if (sample.empty()) return std::nullopt;
  out.requests = sample.size();
  const tail::ObservedBounds bounds = sample.bounds(q, shortfall);
  return Observed{.value = static_cast<double>(bounds.value),
                  .least = static_cast<double>(bounds.least),
                  .most = bounds.most == tail::kEndless ? std::numeric_limits<double>::infinity()
                                                        : static_cast<double>(bounds.most),
                  .requests = static_cast<double>(bounds.requests),
                  .needed = std::max(kLeastObserved, std::round(1 / (1 - q)))};
}

// The route with the time without waits for a CPU as durations. Requests of which those are not known are left out,
// where they are few; many are a reason for no value.
std::optional<RouteRun> own_times_of(const RouteRun& route, ObjectiveResult& out) {
  RouteRun own = route;
  own.requests.clear();
  own.cut_off.clear();
  for (RunObservation o : route.requests) {
    if (o.duration >= 0) o.duration = compare::own_time(route, o);
    o.at_least = -1;
    if (o.duration >= 0) own.requests.push_back(o);
  }
  const std::size_t unknown = route.requests.size() - own.requests.size();
  if (!own.requests.empty() &&
      static_cast<double>(unknown) <= compare::kMostBroken * static_cast<double>(route.requests.size()))
    return own;
  out.missing.push_back("how long " + compare::requests_text(unknown) + " waited for a CPU is not known");
  return std::nullopt;
}

std::optional<Observed> share(const RouteRun& route, bool failed, double limit, ObjectiveResult& out) {
  std::vector<double> errors;
  for (const RunObservation& o : route.requests) errors.push_back((failed ? o.failed : o.client_error) ? 1 : 0);
  out.value = compare::mean_of(errors);
  out.known = true;
  const double n = static_cast<double>(errors.size()) / tail::correlation_time(errors), hits = out.value * n;
  // Those whose outcome is not known could all have failed.
  const double doubtful = static_cast<double>(route.doubtful), all = doubtful + static_cast<double>(errors.size());
  const double unknown = doubtful / all;
  const double sum = std::accumulate(errors.begin(), errors.end(), 0.0);
  const Observed observed{.value = out.value,
                          .least = sum / all,
                          .most = (sum + doubtful) / all,
                          .requests = static_cast<double>(errors.size()),
                          .needed = limit > 0 ? std::max(kLeastObserved, std::ceil(1 / limit - 1e-9)) : kLeastObserved};
  if (n < kLeastErrors) {
    out.missing.push_back("these requests count as " + whole(n) + " independent ones: needs " +
                          std::to_string(kLeastErrors));
    return observed;
  }
  out.interval = out.upper = true;
  out.low = hits > 0 ? tail::beta_quantile(kAlpha, hits, n - hits + 1) * (1 - unknown) : 0;
  out.high = n - hits > 0 ? tail::beta_quantile(1 - kAlpha, hits + 1, n - hits) : 1;
  out.high = out.high * (1 - unknown) + unknown;
  return observed;
}

// The mean of values that depend on their neighbours, by blocks of equal size; residual: what varies of it.
void mean(const std::vector<double>& residuals, double value, double correlation, ObjectiveResult& out) {
  out.known = true;
  out.value = value;
  const std::size_t length = residuals.size() / kBlocks;
  if (static_cast<double>(length) < std::max(1.0, kCorrelations * correlation)) {
    out.missing.push_back("needs about " +
                          whole(static_cast<double>(kBlocks) * std::ceil(std::max(1.0, kCorrelations * correlation))) +
                          " requests for an interval");
    return;
  }
  std::vector<double> blocks(kBlocks);
  for (std::size_t b = 0; b < kBlocks; ++b)
    blocks[b] = compare::mean_of(std::span(residuals).subspan(b * length, length));
  const double t = model::t_quantile(1 - kAlpha, static_cast<double>(kBlocks - 1));
  const double reach = t * std::sqrt(compare::variance_of(blocks) / static_cast<double>(kBlocks));
  out.interval = out.upper = true;
  out.low = std::max(0.0, value - reach);
  out.high = value + reach;
}

// A ratio of two sums: of what a process did, to requests served.
void of_process(const RouteRun& route, std::size_t count, ObjectiveResult& out) {
  const compare::RunValue ratio = compare::process_value(route, count);
  if (!ratio.known) {
    out.missing.push_back(ratio.missing);
    return;
  }
  double requests = 0;
  const auto& readings = route.read(count);
  for (const auto& reading : readings) requests += reading.requests;
  const double usual = requests / static_cast<double>(readings.size());
  std::vector<double> residuals;
  for (const auto& reading : readings) residuals.push_back((reading.amount - ratio.value * reading.requests) / usual);
  mean(residuals, ratio.value, tail::correlation_time(residuals), out);
  if (!out.interval)
    out.missing = {"needs longer for an interval: counters of a process are read once a second, " +
                   std::to_string(readings.size()) + " times in this recording"};
}

void average(const RouteRun& route, const Objective& objective, ObjectiveResult& out) {
  if (objective.metric.of_process()) return of_process(route, objective.metric.which, out);
  std::vector<double> values, durations;
  const bool duration = objective.metric.kind == Metric::Kind::mean || objective.metric.kind == Metric::Kind::own_mean;
  for (const RunObservation& o : route.requests) {
    if (o.duration < 0 && !(duration && o.at_least >= 0)) continue;
    durations.push_back(static_cast<double>(std::max(o.duration, o.at_least)));
    double value = durations.back();
    if (objective.metric.kind == Metric::Kind::label) {
      value = 0;
      for (std::size_t a = 0; a < o.accounts_n; ++a)
        if (const auto& [account, ns] = route.accounts[o.accounts_at + a]; account == objective.metric.which)
          value += static_cast<double>(ns);
    } else if (objective.metric.counted()) {
      const std::int64_t number = route.number_of(o, objective.metric);
      if (number < 0) {
        const std::string& why = route.why_unknown(objective.metric);
        out.missing.push_back("it is not known of every request" + (why.empty() ? "" : ": " + why));
        return;
      }
      value = static_cast<double>(number);
    }
    values.push_back(value);
  }
  const double n = static_cast<double>(values.size());
  const double doubtful = static_cast<double>(route.doubtful) / (n + static_cast<double>(route.doubtful));
  if (values.empty()) {
    out.missing.push_back("no complete request");
    return;
  }
  const bool constant = std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); });
  if (objective.metric.counted() && constant) {
    out.known = out.interval = out.upper = true;
    out.value = out.low = out.high = values.front();
    return;
  }
  const std::uint64_t broken = broken_off(route);
  if (objective.metric.kind == Metric::Kind::label &&
      static_cast<double>(broken) > kMostBroken * static_cast<double>(route.requests.size())) {
    out.missing.push_back("where the time of more than 1 % of the requests went is not known: they broke off");
    return;
  }
  if (objective.metric.of_duration() && doubtful > 0.01) {
    out.missing.push_back("the duration of more than 1 % of the requests is unknown or in doubt");
    return;
  }
  const double level = compare::mean_of(values), total = compare::mean_of(durations);
  if (!objective.of_time) {
    mean(values, level, tail::correlation_time(values), out);
    if (duration && static_cast<double>(broken) > compare::kMostBroken * static_cast<double>(values.size())) {
      out.upper = false;
      out.at_least = true;
      out.missing.push_back(compare::requests_text(broken) + " broke off, and could have lasted longer");
    }
    return;
  }
  // A ratio of two sums, to first order.
  const double ratio = total > 0 ? level / total : 0;
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = total > 0 ? (values[i] - ratio * durations[i]) / total : 0;
  mean(values, ratio, tail::correlation_time(values), out);
  out.high = std::min(1.0, out.high);
}

// The mean of the requests that have one. Its interval, which is not known of few, does not matter.
std::optional<Observed> average_observed(const RouteRun& route, const Objective& objective, ObjectiveResult& out) {
  average(route, objective, out);
  if (!out.known) return std::nullopt;
  return Observed{.value = out.value,
                  .least = out.value,
                  .most = out.at_least ? std::numeric_limits<double>::infinity() : out.value,
                  .requests = static_cast<double>(out.requests)};
}

// What the interval leaves open is decided by the value, unless that depends on what is not known.
void decide_by_value(const Objective& objective, const Observed& observed, double more, ObjectiveResult& out) {
  if (observed.requests < observed.needed) {
    out.missing = {whole(observed.requests) + (observed.requests == 1 ? " request is" : " requests are") +
                   " too few: needs " + whole(observed.needed)};
    return;
  }
  if (observed.least > objective.limit || observed.most + more <= objective.limit) {
    out.verdict = observed.least > objective.limit ? GateVerdict::fail : GateVerdict::pass;
    out.observed = out.known = true;
    out.value = observed.value;
    out.missing.clear();
    return;
  }
  out.missing = {more > 0 && observed.most <= objective.limit
                     ? "calls without a known parent could be of this route"
                     : "it depends on requests that have no end, or whose end is in doubt"};
}

void decide(const Objective& objective, const Run& run, const std::optional<Observed>& observed, ObjectiveResult& out) {
  // Calls without a known parent may be of these requests.
  const bool calls = objective.metric.kind == Metric::Kind::count && model::gate::of_calls(objective.metric.which);
  const double more = calls && out.requests > 0 ? static_cast<double>(run.undecided(objective.metric.which)) /
                                                      static_cast<double>(out.requests)
                                                : 0;
  if (out.interval && out.low > objective.limit) {
    out.verdict = GateVerdict::fail;
    out.missing.clear();
  } else if (out.missing.empty() && out.high + more <= objective.limit) {
    out.verdict = GateVerdict::pass;
  } else if (observed) {
    decide_by_value(objective, *observed, more, out);
  } else if (out.missing.empty()) {
    out.missing.push_back(more > 0 && out.high <= objective.limit
                              ? "calls without a known parent could be of this route"
                              : "the limit lies within the interval: record longer");
  }
}

// The value with its interval; what it is in this capture.
std::optional<Observed> value_of(const RouteRun& route, const Run& run, const Objective& objective,
                                 ObjectiveResult& out) {
  if (const auto q = objective.metric.quantile()) return quantile(route, run, *q, out);
  if (objective.metric.share())
    return share(route, objective.metric.kind == Metric::Kind::errors, objective.limit, out);
  return average_observed(route, objective, out);
}

}  // namespace

Assertion assert_slos(std::vector<model::gate::Slo> slos, std::span<const Run> runs, DecideBy by) {
  Assertion out;
  out.by = by;
  out.slos = std::move(slos);
  for (const Run& run : runs) {
    const bool served = std::any_of(run.routes.begin(), run.routes.end(),
                                    [](const auto& r) { return r.name.role == model::Role::server; });
    for (std::size_t s = 0; s < out.slos.size(); ++s)
      for (std::size_t o = 0; o < out.slos[s].objectives.size(); ++o) {
        const Objective& objective = out.slos[s].objectives[o];
        const model::Role role = out.slos[s].role.value_or(served ? model::Role::server : model::Role::client);
        bool any = false;
        for (const RouteRun& route : run.routes) {
          if (route.name.role != role || !compare::matches(out.slos[s].route, route.name)) continue;
          any = true;
          ObjectiveResult result;
          result.slo = s;
          result.objective = o;
          result.file = run.file;
          result.route = route.name;
          result.found = true;
          result.requests = static_cast<std::uint64_t>(std::count_if(
              route.requests.begin(), route.requests.end(), [](const RunObservation& x) { return x.duration >= 0; }));
          if (!run.whole) {
            result.missing.push_back("the capture is damaged, cut short, or was not read to its end");
          } else if (model::CutNote::from_notes(run.preamble.notes)) {
            result.missing.push_back(
                "the capture holds a part of the requests only, chosen by what they are (`tailcap cut`)");
          } else if (model::sampling_of(run.preamble.notes).some()) {
            result.missing.push_back(
                "a part of all connections is recorded (--sample-connections), and the interval does not allow for "
                "that");
          } else if (route.requests.empty()) {
            result.missing.push_back("no request of it has a known end");
          } else {
            std::optional<Observed> observed;
            if (objective.metric.of_own_time()) {
              if (const auto own = own_times_of(route, result)) observed = value_of(*own, run, objective, result);
            } else {
              observed = value_of(route, run, objective, result);
            }
            if (by == DecideBy::interval) observed.reset();
            decide(objective, run, observed, result);
            if (objective.metric == Metric::of(model::gate::Count::same_calls)) result.of = route.most_called;
          }
          out.results.push_back(std::move(result));
        }
        if (any) continue;
        ObjectiveResult none;
        none.slo = s;
        none.objective = o;
        none.file = run.file;
        none.missing.push_back("no request of this route was recorded");
        out.results.push_back(std::move(none));
      }
  }
  out.verdict = out.results.empty() ? GateVerdict::undecided : GateVerdict::pass;
  for (const ObjectiveResult& r : out.results) {
    if (r.verdict == GateVerdict::fail) out.verdict = GateVerdict::fail;
    if (r.verdict == GateVerdict::undecided && out.verdict == GateVerdict::pass) out.verdict = GateVerdict::undecided;
  }
  return out;
}

}  // namespace tailcap::views
