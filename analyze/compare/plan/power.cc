#include "analyze/compare/plan/power.h"

#include <algorithm>
#include <random>
#include <span>

#include "analyze/compare/confirm.h"
#include "analyze/compare/gates.h"
#include "analyze/model/gate/comparison.h"
#include "analyze/model/statistics/t_distribution.h"

namespace tailcap::compare {
namespace {

constexpr std::size_t kTrials = 2000;
constexpr std::size_t kMostRounds = 30;  // more do not make what is found smaller by a tenth
constexpr std::uint64_t kSeed = 1;       // equal designs have equal figures
constexpr double kFound = 0.8, kPassed = 0.9;
constexpr double kLargest = 1000;  // standard deviations
constexpr int kSteps = 30;         // of a bisection

enum class Seen : std::uint8_t { pass, fail, flagged, open };

// As gates.cc decides: `level` is that of the test, with its part of all gates.
Seen judged(const Effect& e, double mde, double level, double threshold, double increase) {
  const double difference = e.difference + increase;
  const auto above = [&](double limit) { return model::t_above((difference - limit) / e.se, e.df); };
  const bool significant = above(0) < level;
  const Seen open = difference > threshold ? Seen::flagged : Seen::open;
  if (threshold > 0 && mde > kMostDetectable * threshold && !(significant && above(threshold) < 0.05)) return open;
  if (significant && difference > threshold) return Seen::fail;
  return above(threshold) > 0.95 ? Seen::pass : open;
}

// The least x for which it is true; true from there on.
template <class Holds>
double least_that_holds(double high, const Holds& holds) {
  double low = 0;
  for (int i = 0; i < kSteps; ++i) {
    const double middle = (low + high) / 2;
    (holds(middle) ? high : low) = middle;
  }
  return high;
}

}  // namespace

Power::Power(const GateDesign& design) : design_(design) {
  design_.fresh = std::min(design.fresh, kMostRounds * design.screening);
  std::mt19937_64 random(kSeed);
  std::normal_distribution<double> normal;
  const std::size_t k = design_.screening;
  const double tests = static_cast<double>(std::max<std::size_t>(1, design_.tests));
  const model::gate::CompareOptions defaults;
  for (std::size_t i = 0; i < kTrials; ++i) {
    std::vector<double> base, fresh;
    Trial trial;
    const auto look = [&](std::size_t from, double level) {
      const auto of = [&](const std::vector<double>& runs) { return std::span(runs).subspan(from); };
      // What differs within a pair has the unit: the base of a pair is 0.
      const Effect e = design_.pairs == Pairs::yes ? paired(of(base), of(fresh)) : welch(of(base), of(fresh));
      return Look{e, e.detectable(level)};
    };
    const auto record = [&](std::size_t runs) {
      for (std::size_t run = 0; run < runs; ++run) {
        base.push_back(design_.pairs == Pairs::yes ? 0 : normal(random));
        fresh.push_back(normal(random));
      }
    };
    record(k);
    trial.all.push_back(look(0, defaults.level / tests));
    while (fresh.size() < k + design_.fresh) {
      record(std::min(k, k + design_.fresh - fresh.size()));
      trial.all.push_back(look(0, kTogether / tests));
      trial.alone.push_back(look(k, kAlone));
    }
    trials_.push_back(std::move(trial));
  }
}

// 1: fails, -1: passes, 0: neither.
int Power::verdict(const Trial& trial, double threshold, double increase) const {
  const double tests = static_cast<double>(std::max<std::size_t>(1, design_.tests));
  const model::gate::CompareOptions defaults;
  for (std::size_t round = 0; round < trial.all.size(); ++round) {
    const Look& all = trial.all[round];
    const Seen seen =
        judged(all.effect, all.mde, (round == 0 ? defaults.level : kTogether) / tests, threshold, increase);
    if (seen == Seen::pass) return -1;
    if (seen == Seen::open) return 0;
    if (round == 0 || seen == Seen::flagged) continue;
    const Look& alone = trial.alone[round - 1];
    if (judged(alone.effect, alone.mde, kAlone, threshold, increase) == Seen::fail) return 1;
  }
  return 0;
}

Power::Outcome Power::outcome(double threshold, double increase) const {
  Outcome out;
  for (const Trial& trial : trials_) {
    const int seen = verdict(trial, threshold, increase);
    out.fails += (seen > 0) / static_cast<double>(trials_.size());
    out.passes += (seen < 0) / static_cast<double>(trials_.size());
  }
  return out;
}

std::optional<double> Power::detectable(double threshold) const {
  const auto found = [&](double increase) { return outcome(threshold, increase).fails >= kFound; };
  const double most = threshold + kLargest;
  if (design_.fresh == 0 || !found(most)) return std::nullopt;
  return least_that_holds(most, found);
}

double Power::passable() const {
  return least_that_holds(kLargest, [&](double threshold) { return outcome(threshold, 0).passes >= kPassed; });
}

}  // namespace tailcap::compare
