// Simulated pairs of versions: verdicts of the default gates, one line of JSON for each pair. bench/gates makes tables.
//
//   gate-simulation DRIFT RUNS REQUESTS CHANGE FIRST_SEED PAIRS
//   DRIFT: none, mild, shared. CHANGE: equal, tail10, tail20, mode, errors
//   RUNS 1: one capture a side (method blocks) after eight runs of the base that show the noise; nothing is confirmed
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "tests/unit/compare/simulated.h"

using namespace tailcap;
using tests::Change;
using tests::Drift;

int main(int argc, char** argv) {
  const std::map<std::string, Drift> drifts = {
      {"none", tests::kNone}, {"mild", tests::kMild}, {"shared", tests::kShared}};
  const std::map<std::string, Change> changes = {{"equal", {}},
                                                 {"tail10", {.tail = 1.1}},
                                                 {"tail20", {.tail = 1.2}},
                                                 {"mode", {.mode = 0.01}},
                                                 {"errors", {.errors = 0.01}}};
  if (argc != 7 || !drifts.contains(argv[1]) || !changes.contains(argv[4])) {
    std::fputs(
        "usage: gate-simulation none|mild|shared RUNS REQUESTS equal|tail10|tail20|mode|errors FIRST_SEED PAIRS\n",
        stderr);
    return 2;
  }
  const int k = std::atoi(argv[2]), n = std::atoi(argv[3]), first = std::atoi(argv[5]), pairs = std::atoi(argv[6]);
  for (int seed = first; seed < first + pairs; ++seed) {
    std::mt19937_64 random(static_cast<std::uint64_t>(seed));
    if (k == 1) {
      const tests::OneRun one = tests::simulated_one(random, drifts.at(argv[1]), 8, n, changes.at(argv[4]));
      const auto c = compare::compare(one.base, one.fresh, {}, one.noise);
      const std::string verdict(name_of(c.verdict));
      std::printf("{\"seed\":%d,\"screen\":\"%s\",\"verdict\":\"%s\",\"label\":\"\",\"mde80\":%.4f}\n", seed,
                  verdict.c_str(), verdict.c_str(), c.gates.empty() ? 0.0 : c.gates[0].estimate.mde);
      std::fflush(stdout);
      continue;
    }
    const auto pair = [&] { return tests::simulated(random, drifts.at(argv[1]), k, n, changes.at(argv[4])).compare(); };
    const auto screen = pair();
    // As scripts/ci-gate: fresh runs, and only the gates that failed.
    std::string verdict(name_of(screen.verdict)), named;
    if (screen.verdict == model::gate::Verdict::fail) {
      model::gate::CompareOptions failing;
      for (const auto& gate : screen.gates)
        if (gate.verdict == model::gate::Verdict::fail) failing.gates.push_back(gate.gate);
      const auto confirm = tests::simulated(random, drifts.at(argv[1]), k, n, changes.at(argv[4])).compare(failing);
      verdict = name_of(confirm.verdict);
      // What was not confirmed is no pass while another gate is undecided.
      if (confirm.verdict == model::gate::Verdict::pass)
        for (const auto& gate : screen.gates)
          if (gate.verdict == model::gate::Verdict::undecided) verdict = "undecided";
      const auto& slow = confirm.routes[0].slow;
      if (confirm.verdict == model::gate::Verdict::fail && slow.known && !slow.rows.empty())
        named = model::gate::account_name(slow.rows[0].account);
    }
    std::printf("{\"seed\":%d,\"screen\":\"%s\",\"verdict\":\"%s\",\"label\":\"%s\",\"mde80\":%.4f}\n", seed,
                std::string(name_of(screen.verdict)).c_str(), verdict.c_str(), named.c_str(),
                screen.gates.empty() ? 0.0 : screen.gates[0].estimate.mde);
    std::fflush(stdout);
  }
}
