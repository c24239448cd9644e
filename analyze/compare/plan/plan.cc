#include "analyze/compare/plan/plan.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "analyze/compare/compare.h"
#include "analyze/compare/confirm.h"
#include "analyze/compare/default_gates.h"
#include "analyze/compare/duet.h"
#include "analyze/compare/gates.h"
#include "analyze/compare/plan/power.h"
#include "analyze/model/statistics/t_distribution.h"

namespace tailcap::compare {
namespace {

using model::gate::CompareOptions;
using model::gate::Comparison;
using model::gate::Count;
using model::gate::Gate;
using model::gate::GateEstimate;
using model::gate::GatePlan;
using model::gate::GateResult;
using model::gate::GateVerdict;
using model::gate::kNever;
using model::gate::kPlannedBudgets;
using model::gate::Metric;
using model::gate::PlannedGate;
using model::gate::RouteName;
using model::gate::Run;

constexpr Metric kAllocations = Metric::of(Count::allocations);
constexpr double kMostProposed = 1;  // of the base: a threshold that is larger is none
constexpr double kSeldomPassed = 0.5;
constexpr std::size_t kLeastRuns = 2;

struct Halves {
  std::vector<Run> base, fresh;
};

Halves halves_of(std::vector<Run> runs) {
  std::stable_sort(runs.begin(), runs.end(), [](const Run& x, const Run& y) { return x.begin < y.begin; });
  const bool duet = any_of_duet(runs, {});
  Halves out;
  std::map<std::string, int> seen;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const bool fresh = duet ? seen[pair_of(runs[i])]++ > 0 : i % 4 == 1 || i % 4 == 2;
    (fresh ? out.fresh : out.base).push_back(std::move(runs[i]));
  }
  return out;
}

Gate gate_on(Metric::Kind kind, double threshold) {
  const Gate::Unit unit = kind == Metric::Kind::errors ? Gate::Unit::absolute : Gate::Unit::ratio;
  return {{kind, 0}, "", threshold, unit, ""};
}

// Those of default_gates.h; p50 and p95 as well, which gates of one's own can name.
std::vector<Gate> planned_gates() {
  std::vector<Gate> out = {gate_on(Metric::Kind::p99, kDefaultIncrease), gate_on(Metric::Kind::own_p99, kDefaultOwn),
                           gate_on(Metric::Kind::own_mean, kDefaultOwn), gate_on(Metric::Kind::errors, kDefaultErrors)};
  for (Gate& gate : gates_on_counts()) out.push_back(std::move(gate));
  for (Gate& gate : gates_on_processes()) out.push_back(std::move(gate));
  out.push_back(gate_on(Metric::Kind::p50, kDefaultIncrease));
  out.push_back(gate_on(Metric::Kind::p95, kDefaultIncrease));
  return out;
}

bool only_if_given(const Metric& metric) {
  return metric.kind == Metric::Kind::p50 || metric.kind == Metric::Kind::p95;
}

std::string planned_name(const RouteName& name) { return (name.method.empty() ? "" : name.method + " ") + name.route; }

// Upwards to two digits that count, so that the gate that is proposed passes as often as it is said to.
double rounded_up_to_two(double x) {
  if (!(x > 0)) return x;
  const double unit = std::pow(10, std::floor(std::log10(x)) - 1);
  return std::ceil(x / unit - 1e-9) * unit;
}

std::string plain_digits(double x) {
  std::string text = std::to_string(x);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.ends_with('.')) text.pop_back();
  return text;
}

// "p99(GET /pay) > +12%": what --fail-on takes.
std::string expression(const PlannedGate& g, double threshold) {
  const Metric& m = g.metric;
  // As the default gates are written.
  const bool of_base =
      (m == kAllocations || m == Metric::of(Count::process_cpu) || m == Metric::of(Count::response_bytes)) &&
      g.base > 0;
  const double amount = of_base ? threshold / g.base : threshold;
  return std::string(name_of(m)) + "(" + planned_name(g.route) + ") > +" +
         (m.relative() || of_base ? plain_digits(100 * amount) + "%"
          : m.share()             ? plain_digits(100 * amount) + "pt"
                                  : plain_digits(amount));
}

std::string joined_words(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : "; ") + word;
  return out;
}

class Planner {
 public:
  Planner(const Comparison& c, std::size_t screening, double run_seconds) : c_(c) {
    out_.made = true;
    out_.runs = std::min(c.base_runs, c.fresh_runs);
    out_.run_seconds = run_seconds;
    const bool duet = c.method == model::gate::Method::duet_paired;
    const double both = (duet ? 1.0 : 2.0) * run_seconds;  // a run of each side
    for (const double seconds : kPlannedBudgets) {
      // As tailcap gate: the first runs always, and fresh ones that end within the budget.
      const double all = both > 0 ? std::floor(seconds / both + 1e-9) : 0;
      const auto left = static_cast<std::size_t>(std::clamp(all - static_cast<double>(screening), 0.0, 500.0));
      const std::size_t rest = left % screening;
      out_.budgets.push_back({seconds, screening, left - (rest < kLeastAlone ? rest : 0)});
    }
  }

  // results: the gates of the comparison, judged with thresholds beyond reach; gates: what they were before.
  GatePlan make(const std::vector<GateResult>& results, const std::vector<Gate>& gates, bool given) {
    for (const GateResult& r : results) {
      const auto at = std::find_if(gates.begin(), gates.end(), [&](const Gate& g) {
        return given ? g.text == r.gate.text : g.metric == r.gate.metric;
      });
      if (r.found && at != gates.end()) add(r, *at, given);
      if (!r.found) out_.not_judged.push_back(r.gate.text + ": " + joined_words(r.missing));
    }
    for (const PlannedGate& g : out_.gates) tests_ += g.by_default && g.missing.empty() && !g.exact;
    for (std::size_t b = 0; b < kPlannedBudgets.size(); ++b) {
      const std::size_t k = out_.budgets[b].screening;
      const auto of = [&](std::size_t tests) {
        return std::make_unique<Power>(
            GateDesign{k, out_.budgets[b].fresh, std::max<std::size_t>(1, tests),
                       c_.method == model::gate::Method::duet_paired ? Pairs::yes : Pairs::no});
      };
      powers_.push_back(of(tests_));
    }
    double df = HUGE_VAL;
    for (PlannedGate& g : out_.gates)
      if (g.missing.empty() && !g.exact) fill(g);
    for (const GateResult& r : results)
      if (r.estimate.known && !r.estimate.exact) df = std::min(df, r.estimate.df);
    if (df < HUGE_VAL) set_uncertainty(df);
    say_what_is_not_judged();
    return std::move(out_);
  }

 private:
  void add(const GateResult& r, const Gate& gate, bool given) {
    const GateEstimate& e = r.estimate;
    PlannedGate g;
    g.metric = r.gate.metric;
    g.route = c_.routes[r.route].name;
    g.by_default = given || !only_if_given(g.metric);
    const bool of_process = g.metric.of_process();
    if (!given) {
      // Only some recordings have them.
      if (g.metric == kAllocations && !e.known) return;
      // Once for each program: its routes have equal readings.
      if (of_process && !readings_.emplace(g.metric.which, e.known ? e.base : 0).second) return;
      const bool count = g.metric.counted() && !of_process;
      if (count && e.known && !e.steady) {
        out_.not_judged.push_back(std::string(name_of(g.metric)) + " of " + planned_name(g.route) + kVary);
        return;
      }
    }
    // Equal versions: an increase is noise, and no reason not to judge.
    if (!e.known || r.verdict != GateVerdict::pass) g.missing = r.missing.empty() ? e.missing : joined_words(r.missing);
    if (g.missing.empty()) {
      g.exact = e.exact;
      g.base = e.base;
      g.threshold = threshold_of(gate, e);
      const double b = static_cast<double>(c_.base_runs), n = static_cast<double>(c_.fresh_runs);
      g.noise = c_.method == model::gate::Method::duet_paired ? e.se * std::sqrt(b) : e.se / std::sqrt(1 / b + 1 / n);
      g.passes.fill(e.exact ? 1 : 0);
      for (std::size_t i = 0; i < kPlannedBudgets.size(); ++i)
        g.detectable[i] = e.exact && out_.budgets[i].fresh > 0 ? g.threshold : kNever;
      if (e.exact) g.proposed = g.threshold;
      if (e.exact) g.gate = expression(g, g.threshold);
    }
    out_.gates.push_back(std::move(g));
  }

  // More errors vary more: by their binomial variance.
  double noise_with(const PlannedGate& g, double increase) const {
    if (!g.metric.share()) return g.noise;
    const double n = static_cast<double>(least_requests_of(g.route));
    const auto binomial = [&](double p) {
      return n > 0 ? std::clamp(p, 0.0, 1.0) * (1 - std::clamp(p, 0.0, 1.0)) / n : 0;
    };
    return std::sqrt(g.noise * g.noise + (binomial(g.base + increase) - binomial(g.base)) / 2);
  }

  std::uint64_t least_requests_of(const RouteName& name) const {
    std::uint64_t least = UINT64_MAX;
    for (const auto& route : c_.routes)
      if (route.name == name)
        for (const auto* side : {&route.base_requests, &route.fresh_requests})
          for (const std::uint64_t n : *side) least = std::min(least, n);
    return least == UINT64_MAX ? 0 : least;
  }

  void fill(PlannedGate& g) {
    const bool relative = g.metric.relative();
    const auto to_units = [&](double x, double noise) { return (relative ? std::log1p(x) : x) / noise; };
    const auto from_units = [&](double x, double noise) { return relative ? std::expm1(x * noise) : x * noise; };
    const double noise = std::max(g.noise, 1e-12);
    for (std::size_t b = 0; b < powers_.size(); ++b) {
      g.passes[b] = powers_[b]->outcome(to_units(g.threshold, noise), 0).passes;
      double found = g.threshold;
      for (int i = 0; i < (g.metric.share() ? 8 : 1); ++i) {
        const double with = std::max(noise_with(g, found), 1e-12);
        const auto units = powers_[b]->detectable(to_units(g.threshold, with));
        found = units ? from_units(*units, with) : kNever;
        if (!units) break;
      }
      g.detectable[b] = found;
    }
    if (g.passes[1] >= 0.9) {
      g.proposed = g.threshold;
    } else {
      const double least = from_units(powers_[1]->passable(), noise);
      const bool of_base = (g.metric.timed() && !relative) || g.metric == kAllocations;
      const double unit = of_base ? g.base : 1;
      g.proposed = rounded_up_to_two(least / unit) * unit;
    }
    const double share = relative || g.metric.share() ? g.proposed : g.base > 0 ? g.proposed / g.base : 0;
    if (g.metric == Metric::of(Count::memory) || share <= kMostProposed)
      g.gate = expression(g, g.proposed);
    else
      g.proposed = kNever;
  }

  // Sets the factors that bound a standard deviation, by chi-squared (Wilson and Hilferty).
  void set_uncertainty(double df) {
    const auto chi = [&](double z) { return df * std::pow(1 - 2 / (9 * df) + z * std::sqrt(2 / (9 * df)), 3); };
    out_.least = std::sqrt(df / chi(1.645));
    out_.most = std::sqrt(df / std::max(1e-3, chi(-1.645)));
  }

  void say_what_is_not_judged() {
    for (const PlannedGate& g : out_.gates) {
      const std::string what = std::string(name_of(g.metric)) + " of " + planned_name(g.route) + ": ";
      if (!g.missing.empty())
        out_.not_judged.push_back(what + g.missing);
      else if (!g.exact && g.by_default && g.passes.back() < kSeldomPassed)
        out_.not_judged.push_back(what + "with the threshold of the default gate, equal versions pass in " +
                                  number(100 * g.passes.back()) + " % within 10 minutes: the runs vary too much");
    }
    std::erase_if(out_.gates, [](const PlannedGate& g) { return !g.missing.empty(); });
  }

  const Comparison& c_;
  GatePlan out_;
  std::map<std::uint8_t, double> readings_;  // of processes
  std::size_t tests_ = 0;
  std::vector<std::unique_ptr<Power>> powers_;  // by budget
};

}  // namespace

Comparison plan(std::vector<Run> runs, const CompareOptions& options, double run_seconds) {
  const Halves halves = halves_of(std::move(runs));
  CompareOptions measuring = options;
  const bool given = !options.gates.empty();
  const std::vector<Gate> gates = given ? options.gates : planned_gates();
  measuring.gates = gates;
  // Beyond reach: what is undecided then has a reason of its own.
  for (Gate& gate : measuring.gates) {
    gate.threshold = 1e12;
    gate.unit = gate.metric.relative() ? Gate::Unit::ratio : Gate::Unit::absolute;
  }
  // Equal versions are no runs of one side here: pairs stay pairs.
  if (any_of_duet(halves.base, halves.fresh)) measuring.method = model::gate::Method::duet_paired;
  measuring.self = true;
  measuring.screened = 0;
  measuring.min_runs = kLeastRuns;
  measuring.allow_sequential = true;
  const Comparison judged = compare(halves.base, halves.fresh, measuring);
  measuring.gates = options.gates;
  Comparison out = compare(halves.base, halves.fresh, measuring);
  out.plan = Planner(judged, std::max<std::size_t>(kLeastRuns, options.screened), run_seconds)
                 .make(judged.gates, gates, given);
  return out;
}

}  // namespace tailcap::compare
