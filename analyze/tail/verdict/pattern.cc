#include "analyze/tail/verdict/pattern.h"

#include <cmath>

#include "analyze/tail/slow/bursts.h"
#include "analyze/tail/verdict/ordinary.h"

namespace tailcap::tail::verdict {
namespace {

using formats::nanoseconds;
using model::Pattern;

constexpr double kClustered = 0.5;  // of the bursts that chance would make
constexpr double kRegular = 0.2;    // coefficient of variation of the distances between bursts
constexpr std::size_t kLeastRegular = 5;

Pattern pattern_of(const std::vector<model::Burst>& bursts, std::size_t requests, double by_chance) {
  if (requests == 1) return Pattern::single;
  if (bursts.size() == 1) return Pattern::incident;
  if (bursts.size() >= kLeastRegular) {
    double sum = 0, squares = 0;
    const auto n = static_cast<double>(bursts.size() - 1);
    for (std::size_t i = 1; i < bursts.size(); ++i) {
      const auto distance = static_cast<double>((bursts[i].from - bursts[i - 1].from).count());
      sum += distance;
      squares += distance * distance;
    }
    const double mean = sum / n;
    if (std::sqrt(std::max(0.0, squares / n - mean * mean)) < kRegular * mean) return Pattern::periodic;
  }
  return static_cast<double>(bursts.size()) < kClustered * by_chance ? Pattern::incidents : Pattern::recurring;
}

}  // namespace

void note_pattern(std::vector<model::Crowd::Interval> requests, const model::Study& study, model::Verdict& out) {
  const std::size_t count = requests.size();
  const std::int64_t begin = nanoseconds(study.begin), end = nanoseconds(study.end);
  const double by_chance = slow::bursts_by_chance(requests, begin, end);
  out.when = slow::bursts_of(std::move(requests));
  out.pattern = pattern_of(out.when, count, by_chance);
  const double minutes = static_cast<double>(end - begin) / 60e9;
  if (out.when.size() > 1 && minutes > 0) {
    const auto [low, high] = poisson_interval(out.when.size());
    out.rate_low = low / minutes;
    out.rate_high = high / minutes;
  }
}

}  // namespace tailcap::tail::verdict
