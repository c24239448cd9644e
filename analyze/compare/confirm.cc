#include "analyze/compare/confirm.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "analyze/compare/compare.h"
#include "analyze/compare/gates.h"

namespace tailcap::compare {
namespace {

using model::gate::CompareOptions;
using model::gate::Comparison;
using model::gate::Gate;
using model::gate::GateResult;
using model::gate::GateVerdict;
using model::gate::Run;

std::vector<GateResult*> failures(Comparison& c) {
  std::vector<GateResult*> out;
  for (GateResult& gate : c.gates)
    if (gate.verdict == GateVerdict::fail) out.push_back(&gate);
  return out;
}

void leave_open(GateResult& gate, std::string why) {
  gate.verdict = GateVerdict::undecided;
  gate.missing.push_back(std::move(why));
}

}  // namespace

Comparison confirm(std::span<const Run> base, std::span<const Run> fresh, const CompareOptions& options) {
  const std::size_t flagging = options.screened;
  assert(flagging > 0);
  const std::size_t others = std::min(base.size(), fresh.size()) - std::min({flagging, base.size(), fresh.size()});
  CompareOptions together = options;
  if (others > 0) together.level = kTogether;
  Comparison out = compare(base, fresh, together);
  out.confirming = others;
  const auto failing = failures(out);
  if (failing.empty()) return out;
  if (others == 0) {
    for (GateResult* gate : failing) leave_open(*gate, "flagged; it fails only if fresh runs show it again");
  } else {
    CompareOptions alone = options;
    alone.level = kAlone;
    alone.min_runs = std::min(alone.min_runs, kLeastAlone);
    alone.gates.clear();
    for (const GateResult* gate : failing) {
      alone.gates.push_back(gate->gate);
      alone.gates.back().exactly = out.routes[gate->route].name;
    }
    const Comparison again = compare(base.subspan(flagging), fresh.subspan(flagging), alone);
    // One result for each gate, in their order: each means one route.
    assert(again.gates.size() == failing.size());
    for (std::size_t i = 0; i < failing.size(); ++i)
      if (again.gates[i].verdict != GateVerdict::fail)
        leave_open(*failing[i], "all runs together show it, but the fresh runs alone do not");
  }
  out.verdict = verdict_of(out.gates);
  return out;
}

}  // namespace tailcap::compare
