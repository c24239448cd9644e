// Simulated pairs of versions: verdicts of the default gates, one line of JSON for each pair. bench/gates makes tables.
//
//   gate-simulation DRIFT RUNS REQUESTS ROUNDS CHANGE FIRST_SEED PAIRS
//   DRIFT: none, mild, shared. CHANGE: equal, tail5, tail10, tail20, mode, errors
//   ROUNDS: at most ROUNDS times RUNS fresh runs a side are added, while something is flagged
//   RUNS 1: one capture a side (method blocks) after eight runs of the base that show the noise; nothing is confirmed
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "analyze/compare/confirm.h"
#include "tests/unit/compare/simulated.h"

using namespace tailcap;
using tests::Change;
using tests::Drift;

namespace {

bool above(const model::gate::Comparison& c) {
  if (c.verdict != model::gate::GateVerdict::undecided) return false;
  for (const auto& gate : c.gates)
    if (gate.verdict == model::gate::GateVerdict::undecided && gate.estimate.known &&
        gate.estimate.difference > gate.threshold)
      return true;
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  const std::map<std::string, Drift> drifts = {
      {"none", tests::kNone}, {"mild", tests::kMild}, {"shared", tests::kShared}};
  const std::map<std::string, Change> changes = {{"equal", {}},
                                                 {"tail5", {.tail = 1.05}},
                                                 {"tail10", {.tail = 1.1}},
                                                 {"tail20", {.tail = 1.2}},
                                                 {"mode", {.mode = 0.01}},
                                                 {"errors", {.errors = 0.01}}};
  if (argc != 8 || !drifts.contains(argv[1]) || !changes.contains(argv[5])) {
    std::fputs(
        "usage: gate-simulation none|mild|shared RUNS REQUESTS ROUNDS equal|tail5|tail10|tail20|mode|errors FIRST_SEED "
        "PAIRS\n",
        stderr);
    return 2;
  }
  const int k = std::atoi(argv[2]), n = std::atoi(argv[3]), rounds = std::atoi(argv[4]), first = std::atoi(argv[6]),
            pairs = std::atoi(argv[7]);
  const Change change = changes.at(argv[5]);
  for (int seed = first; seed < first + pairs; ++seed) {
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    if (k == 1) {
      const tests::OneRun one = tests::simulated_one(random, drifts.at(argv[1]), 8, n, change);
      const auto c = compare::compare(one.base, one.fresh, {}, one.noise);
      const std::string verdict(name_of(c.verdict));
      std::printf("{\"seed\":%d,\"flagged\":%s,\"verdict\":\"%s\",\"label\":\"\",\"runs\":1,\"mde80\":%.4f}\n", seed,
                  verdict == "fail" ? "true" : "false", verdict.c_str(),
                  c.gates.empty() ? 0.0 : c.gates[0].estimate.mde);
      std::fflush(stdout);
      continue;
    }
    // As tailcap gate: rounds of runs, for as long as something is undecided and seen above its threshold.
    tests::Machine machine(random, drifts.at(argv[1]));
    tests::Sides sides;
    model::gate::CompareOptions options;
    options.screened = static_cast<std::size_t>(k);
    model::gate::Comparison c;
    double mde = 0;
    bool flagged = false;
    int round = 0;
    for (; round <= rounds && (round == 0 || above(c)); ++round) {
      tests::add_abba(sides, k, [&](tests::TestRun& run, bool fresh, int) {
        machine.run(run, n, fresh ? change : tests::Change{});
      });
      c = compare::confirm(sides.base, sides.fresh, options);
      if (round > 0) continue;
      mde = c.gates.empty() ? 0 : c.gates[0].estimate.mde;
      flagged = sides.compare().verdict == model::gate::GateVerdict::fail;
    }
    std::string named;
    const auto& slow = c.routes[0].slow;
    if (c.verdict == model::gate::GateVerdict::fail && slow.known && !slow.rows.empty())
      named = model::gate::account_name(slow.rows[0].account);
    std::printf("{\"seed\":%d,\"flagged\":%s,\"verdict\":\"%s\",\"label\":\"%s\",\"runs\":%d,\"mde80\":%.4f}\n", seed,
                flagged ? "true" : "false", std::string(name_of(c.verdict)).c_str(), named.c_str(), round * k, mde);
    std::fflush(stdout);
  }
}
