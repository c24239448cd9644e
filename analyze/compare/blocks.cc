#include "analyze/compare/blocks.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "analyze/compare/comparability.h"
#include "analyze/compare/welch.h"

namespace tailcap::compare {
namespace {

using model::gate::Comparison;
using model::gate::Metric;
using model::gate::Run;
using model::gate::RunObservation;

constexpr double kBeyond = 5;  // requests of a block beyond its percentile
constexpr std::size_t kLeastOfMean = 10;

std::size_t least_of_block(const Metric& metric) {
  const auto q = metric.quantile();
  return q ? static_cast<std::size_t>(std::lround(kBeyond / (1 - *q))) : kLeastOfMean;
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, seconds < 10 ? "%.1f s" : "%.0f s", seconds);
  return text;
}

// What chance alone makes of the variance of a block's value.
double floor_of(const RunSample& whole, const Metric& metric) {
  if (metric.kind == Metric::Kind::label) return 1;
  return metric.share() ? whole.value(metric).floor * kBlocks : 0;
}

// From the first beginning to the last; 0: one is not known.
double spread(std::span<const Run> runs) {
  const auto [first, last] =
      std::minmax_element(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.begin < b.begin; });
  return first->begin == 0 ? 0 : static_cast<double>(last->begin - first->begin) / 1e9;
}

}  // namespace

BlockValues blocks_of(const RunSample& whole, const Metric& metric) {
  BlockValues out;
  if (metric.of_process()) {
    out.missing = std::string(name_of(metric)) + " is compared over several runs a side only";
    return out;
  }
  const RunSample::Requests requests = whole.requests();
  const std::size_t counted = metric.share() ? requests.size() : whole.size(), least = least_of_block(metric);
  if (counted < kBlocks * least) {
    out.missing = requests_text(counted) + " in a capture: one capture a side needs " + std::to_string(kBlocks * least);
    return out;
  }
  const std::int64_t begin = requests.front().start, length = requests.back().start - begin + 1;  // ns
  const double needed = kBlocks * kDecorrelations * whole.run().decorrelation;                    // seconds
  if (static_cast<double>(length) / 1e9 < needed) {
    out.missing = "a capture of " + seconds_text(static_cast<double>(length) / 1e9) +
                  " without its warm-up: one capture a side needs " + seconds_text(needed);
    return out;
  }
  auto at = requests.begin();
  for (std::size_t i = 1; i <= kBlocks; ++i) {
    const double border = static_cast<double>(length) * static_cast<double>(i) / kBlocks;
    const auto end = std::find_if(
        at, requests.end(), [&](const RunObservation& o) { return static_cast<double>(o.start - begin) >= border; });
    const RunSample::Requests in(at, end);
    at = end;
    const RunSample block(whole.run(), in);
    if (const std::size_t n = metric.share() ? in.size() : block.size(); n < least) {
      out.missing = "the requests are spread unevenly: a twentieth of the time has " + std::to_string(n) +
                    ", and needs " + std::to_string(least);
      out.values.clear();
      return out;
    }
    out.values.push_back(block.value(metric).value);
  }
  out.floor = floor_of(whole, metric);
  return out;
}

Noise noise_of(const Metric& metric, std::span<const RunValue> runs) {
  Noise out;
  std::vector<double> values;
  for (const RunValue& run : runs)
    if (run.known) values.push_back(run.value);
  if (values.size() >= kLeastNoiseRuns) {
    out.variance = variance_of(values);
    out.df = static_cast<double>(values.size() - 1);
    return out;
  }
  // A logarithm has a usual size; times and shares have none.
  if (metric.relative()) out.variance = kAssumedNoise * kAssumedNoise;
  const std::string needed = "at least " + std::to_string(kLeastNoiseRuns) + " other runs of one version";
  out.missing = runs.empty()
                    ? "one capture a side: how runs vary is not known; --noise with captures of " + needed + " shows it"
                    : std::to_string(values.size()) + " runs of --noise have this route: needs " + needed;
  return out;
}

void compare_noise(std::span<const Run> base, std::span<const Run> fresh, std::span<const Run> noise, Comparison& out) {
  out.noise_runs = noise.size();
  out.remarks.push_back(
      noise.empty()
          ? "one capture a side: runs vary more than one run shows; of percentiles and means, 10 % are assumed"
          : "one capture a side: runs vary more than one run shows; how much is taken from " +
                std::to_string(noise.size()) + " other runs");
  if (noise.empty()) return;
  for (const auto side : {base, fresh}) {
    Comparison with;
    compare_sides(noise, side, with, {"the noise", side.data() == base.data() ? "the base" : "the new run"});
    for (const auto& [from, to] : {std::pair(&with.obstacles, &out.obstacles), {&with.uneven, &out.uneven}})
      for (const std::string& why : *from)
        if (const std::string line = "the noise does not fit: " + why;
            std::find(to->begin(), to->end(), line) == to->end())
          to->push_back(line);
  }
  // Drift over a longer time than they cover is not in them.
  const double covered = spread(noise);
  const double apart = base.front().begin == 0 || fresh.front().begin == 0
                           ? HUGE_VAL
                           : std::abs(static_cast<double>(fresh.front().begin - base.front().begin)) / 1e9;
  if (!(apart <= covered))
    out.obstacles.push_back(std::isinf(apart)
                                ? "the noise does not fit: it is not known when the captures were recorded"
                                : "the noise does not fit: the captures begin " + seconds_text(apart) +
                                      " apart, the runs of the noise within " + seconds_text(covered));
}

}  // namespace tailcap::compare
