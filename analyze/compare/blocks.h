// Method blocks: one long run a side, cut into blocks of equal time. The blocks show how a run varies within itself;
// how runs vary is taken from further runs of one version, or assumed.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analyze/compare/run_sample.h"
#include "analyze/model/gate/comparison.h"

namespace tailcap::compare {

inline constexpr std::size_t kBlocks = 20;
inline constexpr double kAssumedNoise = 0.10;      // standard deviation of the logarithm between runs
inline constexpr std::size_t kLeastNoiseRuns = 8;  // from this number of runs on, it counts as known

inline constexpr double kDecorrelations = 5;  // times of the correlation that a block lasts at least

struct BlockValues {
  std::vector<double> values;  // one a block: what RunValue::value is of a run
  double floor = 0;            // of their variance
  std::string missing;         // not empty: why there are none
};

BlockValues blocks_of(const RunSample& whole, const model::gate::Metric& metric);

// How the values of runs of one version vary.
struct Noise {
  double variance = 0;
  double df = 0;        // degrees of freedom; 0: the variance is assumed
  std::string missing;  // why it is assumed
};
Noise noise_of(const model::gate::Metric& metric, std::span<const RunValue> runs);

// Whether the runs of the noise are from where, and from as long a time as, these two: adds to obstacles, uneven and
// remarks.
void compare_noise(std::span<const model::gate::Run> base, std::span<const model::gate::Run> fresh,
                   std::span<const model::gate::Run> noise, model::gate::Comparison& out);

}  // namespace tailcap::compare
