// Runs with requests of known durations, for tests of the comparison: the input is the truth.
#pragma once

#include <cmath>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "analyze/compare/compare.h"

namespace tailcap::tests {

using model::Label;
using model::gate::RouteRun;
using model::gate::RunObservation;
using TestRun = model::gate::Run;

inline constexpr std::int64_t kMillisecond = 1'000'000;

// A recording of the machine "m", begun at `second`.
inline TestRun run_at(std::int64_t second, double seconds = 60) {
  TestRun run;
  run.preamble.capture_id = std::to_string(second);
  run.preamble.boot_id = "boot";
  run.preamble.host = "m";
  run.preamble.kernel = "6.1";
  run.preamble.architecture = "x86_64";
  run.preamble.cpus = 2;
  run.preamble.tier = formats::HookTier::a;
  run.begin = (1'000'000 + second) * 1'000'000'000;
  run.end = run.begin + static_cast<std::int64_t>(seconds * 1e9);
  run.seconds = seconds;
  return run;
}

inline RouteRun& add_route(TestRun& run, const std::string& route) {
  run.routes.emplace_back();
  run.routes.back().name = {model::Role::server, "GET", route, ""};
  return run.routes.back();
}

// All of its time is under one label.
inline void add_request(TestRun& run, RouteRun& route, std::int64_t ns, Label label = Label::cpu, bool failed = false) {
  RunObservation o;
  o.duration = ns;
  o.failed = failed;
  o.accounts_at = static_cast<std::uint32_t>(route.accounts.size());
  o.accounts_n = 1;
  route.accounts.emplace_back(static_cast<std::uint8_t>(label), ns);
  route.requests.push_back(o);
  ++run.requests;
}

struct Sides {
  std::vector<TestRun> base, fresh;
  model::gate::Comparison compare(const model::gate::CompareOptions& options = {}) const {
    return compare::compare(base, fresh, options);
  }
};

// k more runs a side, in the order ABBA.
inline void add_abba(Sides& sides, int k, const std::function<void(TestRun&, bool fresh, int run)>& fill) {
  const int before = static_cast<int>(sides.base.size() + sides.fresh.size());
  for (int i = before; i < before + 2 * k; ++i) {
    const bool fresh = i % 4 == 1 || i % 4 == 2;
    TestRun run = run_at(100 * i);
    fill(run, fresh, i);
    (fresh ? sides.fresh : sides.base).push_back(std::move(run));
  }
}

inline Sides abba(int k, const std::function<void(TestRun&, bool fresh, int run)>& fill) {
  Sides out;
  add_abba(out, k, fill);
  return out;
}

}  // namespace tailcap::tests
