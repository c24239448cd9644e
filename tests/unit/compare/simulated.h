// A simulated service with drift from run to run, as runs that can be compared.
#pragma once

#include <cmath>
#include <random>

#include "tests/unit/compare/run_case.h"

namespace tailcap::tests {

struct Drift {
  double jitter = 0;   // of a run (logarithmic)
  double walk = 0;     // of the machine, from run to run
  double trend = 0;    // in ten runs
  double frailty = 0;  // of the rates of bursts and of the slow mode, from run to run (coefficient of variation)
};
inline constexpr Drift kNone{}, kMild{0.01, 0.02, 0.01, 0.2}, kShared{0.03, 0.05, 0.03, 0.4};

struct Change {
  double slower = 1;  // all requests
  double tail = 1;    // those beyond the 90th percentile of the noise, so that p50 stays
  double mode = 0;    // this share takes 50 ms longer
  double errors = 0;  // this share fails beside 0.5 %
};

// Requests of 10 ms at the median, at 200/s: independent spread (sigma 0.35), an AR(1) of 0.15 with a time constant of
// 1 s, bursts of 1.8 times (one each 10 s, 0.3 s long), a rare mode (0.4 %, four times that in bursts) of 20 ms and
// more.
inline void simulate(TestRun& run, std::mt19937_64& random, int n, double factor, double frailty,
                     const Change& change) {
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  std::exponential_distribution<double> exponential;
  RouteRun& route = add_route(run, "/pay");
  const double step = 1.0 / 200, keep = std::exp(-step);
  double ar = 0.15 * normal(random), next_burst = 10 / frailty * exponential(random), burst_end = 0;
  for (int i = 0; i < n; ++i) {
    const double now = i * step;
    ar = keep * ar + 0.15 * std::sqrt(1 - keep * keep) * normal(random);
    if (now > next_burst) {
      burst_end = now + 0.3 * exponential(random);
      next_burst = now + 10 / frailty * exponential(random);
    }
    const bool burst = now < burst_end;
    const double own = normal(random);
    double ms = 10 * std::exp(0.35 * own + ar) * (burst ? 1.8 : 1);
    bool slow = own > 1.2816;
    if (uniform(random) < 0.004 * frailty * (burst ? 4 : 1)) ms += 20 + 30 * exponential(random), slow = true;
    if (slow) ms *= change.tail;
    const bool mode = uniform(random) < change.mode;
    if (mode) ms += 50;
    const auto ns = std::llround(ms * factor * change.slower * 1e6);
    add_request(run, route, ns, mode ? Label::lock_futex : Label::cpu,
                uniform(random) < 0.005 * frailty + change.errors);
    route.requests.back().start = std::llround(now * 1e9);
  }
  run.seconds = n * step;
  route.decorrelation = 2;  // the AR(1): (1 + keep) / (1 - keep) requests
}

// Runs one after the other, with the drift of one machine.
class Machine {
 public:
  Machine(std::mt19937_64& random, const Drift& drift) : random_(random), drift_(drift) {}

  void run(TestRun& run, int n, const Change& change) {
    std::normal_distribution<double> normal;
    walk_ = 0.7 * walk_ + drift_.walk * std::sqrt(1 - 0.49) * normal(random_);
    // Gamma with mean 1.
    const double cv = drift_.frailty;
    const double frailty = cv > 0 ? std::gamma_distribution<double>(1 / (cv * cv), cv * cv)(random_) : 1;
    const double factor = std::exp(walk_ + drift_.jitter * normal(random_) + drift_.trend * number_++ / 10);
    simulate(run, random_, n, factor, std::max(0.05, frailty), change);
  }

 private:
  std::mt19937_64& random_;
  const Drift& drift_;
  double walk_ = 0;
  int number_ = 0;
};

// k runs a side, ABBA; n requests in each.
inline Sides simulated(std::mt19937_64& random, const Drift& drift, int k, int n, const Change& change) {
  Machine machine(random, drift);
  return abba(k, [&](TestRun& run, bool fresh, int) { machine.run(run, n, fresh ? change : Change{}); });
}

// One run a side, after runs of the base, as many as `noise` has, that show how runs vary.
struct OneRun {
  std::vector<TestRun> noise, base, fresh;
};
inline OneRun simulated_one(std::mt19937_64& random, const Drift& drift, int noise, int n, const Change& change) {
  Machine machine(random, drift);
  OneRun out;
  for (int i = 0; i < noise + 2; ++i) {
    TestRun run = run_at(1000 * i, n / 200.0);
    machine.run(run, n, i == noise + 1 ? change : Change{});
    (i < noise ? out.noise : i == noise ? out.base : out.fresh).push_back(std::move(run));
  }
  return out;
}

}  // namespace tailcap::tests
