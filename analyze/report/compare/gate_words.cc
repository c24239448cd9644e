#include "analyze/report/compare/gate_words.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "analyze/report/compare/compare_words.h"
#include "analyze/report/words/number.h"
#include "ground/text.h"

namespace tailcap::report {
namespace {

using model::gate::Comparison;
using model::gate::GateResult;
using model::gate::GateVerdict;
using model::gate::Metric;

// A row of its own would say nothing more.
bool unchanged(const GateResult& g) {
  return exact_by_default(g) && g.estimate.difference == 0 && g.verdict != GateVerdict::fail;
}

int rank_of(GateVerdict verdict) {
  return verdict == GateVerdict::fail ? 0 : verdict == GateVerdict::undecided ? 1 : 2;
}

}  // namespace

std::string seconds_text(double seconds) { return duration_text(Duration{std::llround(seconds * 1e9)}); }

bool exact_by_default(const GateResult& g) {
  return g.gate.text.empty() && g.gate.metric.counted() && g.estimate.exact;
}

std::vector<const GateResult*> gates_by_verdict(const Comparison& c) {
  std::vector<const GateResult*> out;
  for (const GateResult& gate : c.gates)
    if (!unchanged(gate)) out.push_back(&gate);
  std::ranges::stable_sort(out, {}, [](const GateResult* g) { return rank_of(g->verdict); });
  return out;
}

std::string unchanged_text(const Comparison& c) {
  std::vector<std::string> names;
  std::set<std::size_t> routes;
  for (const GateResult& g : c.gates) {
    if (!unchanged(g)) continue;
    routes.insert(g.route);
    if (std::string name(name_of(g.gate.metric)); std::find(names.begin(), names.end(), name) == names.end())
      names.push_back(std::move(name));
  }
  if (names.empty()) return {};
  return "Unchanged and exact in " + count_text(routes.size(), "route", "routes") + ": " + ground::joined(names) +
         " per request.";
}

render::Cell verdict_cell(const GateResult& gate) {
  render::Cell cell(name_of(gate.verdict));
  cell.tone = tone_of(gate.verdict);
  cell.strong = gate.verdict == GateVerdict::fail;
  return cell;
}

std::string level_text(const Metric& metric, const model::gate::GateEstimate& e, double value, bool at_least) {
  return e.levels ? (at_least ? "≥ " : "") + value_text(metric, value) : "–";
}

std::string runs_text(const Comparison& c) {
  const bool self = c.options.self;
  return std::to_string(c.base_runs) + (self ? " in the first half (" : " of the base (") +
         seconds_text(c.base_seconds) + "), " + std::to_string(c.fresh_runs) + (self ? " in the second (" : " new (") +
         seconds_text(c.fresh_seconds) + "), " +
         (self                              ? "one half after the other"
          : c.base_runs + c.fresh_runs <= 2 ? "one a side"
          : c.interleaved                   ? "interleaved"
                                            : "not interleaved");
}

std::string load_text(const Comparison& c) {
  return rate_text(c.base_rate) + " and " + rate_text(c.fresh_rate) + ", " +
         (c.closed_loop ? "closed loop" : "open loop");
}

std::string same_version_text(const Comparison& c) {
  if (c.options.self)
    return "this measures the noise of the machine: the first half of the runs against the second; \"detectable\" is "
           "the increase that as many runs of two versions would find";
  return "both sides are " + c.same_version + ": this measures the noise of the machine, and nothing fails";
}

}  // namespace tailcap::report
