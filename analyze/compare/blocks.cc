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
using model::gate::Observation;
using model::gate::RouteRun;
using model::gate::Run;

constexpr double kDecorrelations = 5;  // in a block
constexpr double kBeyond = 5;          // requests of a block beyond its percentile
constexpr std::size_t kLeastOfMean = 10;

using Block = std::vector<const Observation*>;

std::size_t least_of_block(const Metric& metric) {
  const auto q = metric.quantile();
  return q ? static_cast<std::size_t>(std::lround(kBeyond / (1 - *q))) : kLeastOfMean;
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, seconds < 10 ? "%.1f s" : "%.0f s", seconds);
  return text;
}

template <class Of>
double mean_over(const Block& block, Of of) {
  double sum = 0;
  for (const Observation* o : block) sum += static_cast<double>(of(*o));
  return sum / static_cast<double>(block.size());
}

double value_of(const Block& block, const RouteRun& run, const Metric& metric) {
  switch (metric.kind) {
    case Metric::Kind::mean:
      return std::log(std::max(1.0, mean_over(block, [](const Observation& o) { return o.duration; })));
    case Metric::Kind::errors:
      return mean_over(block, [](const Observation& o) { return o.failed ? 1 : 0; });
    case Metric::Kind::client_errors:
      return mean_over(block, [](const Observation& o) { return o.client_error ? 1 : 0; });
    case Metric::Kind::count:
      return mean_over(block, [&](const Observation& o) { return o.counts[metric.which]; });
    case Metric::Kind::label:
      return mean_over(block, [&](const Observation& o) {
        std::int64_t ns = 0;
        for (std::size_t a = 0; a < o.accounts_n; ++a)
          if (const auto& [account, time] = run.accounts[o.accounts_at + a]; account == metric.which) ns += time;
        return ns;
      });
    default:
      break;
  }
  std::vector<std::int64_t> sorted;
  for (const Observation* o : block) sorted.push_back(o->duration);
  std::sort(sorted.begin(), sorted.end());
  return std::log(std::max(1.0, quantile_of(sorted, *metric.quantile())));
}

// What chance alone makes of the variance of a block's value.
double floor_of(const Blocks& blocks, std::size_t requests, const Metric& metric) {
  if (metric.kind == Metric::Kind::label) return 1;
  if (!metric.share()) return 0;
  const double n = static_cast<double>(requests), p = std::max(mean_of(blocks.values), 1 / n);
  return p * (1 - p) * kBlocks / n;
}

// From the first beginning to the last; 0: one is not known.
double spread(std::span<const Run> runs) {
  const auto [first, last] =
      std::minmax_element(runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.begin < b.begin; });
  return first->begin == 0 ? 0 : static_cast<double>(last->begin - first->begin) / 1e9;
}

}  // namespace

Blocks blocks_of(const RouteRun& run, std::size_t limit, const Metric& metric) {
  Blocks out;
  if (metric == Metric{Metric::Kind::count, static_cast<std::uint8_t>(model::gate::Count::allocations)}) {
    out.missing = "allocations are compared over several runs a side only";
    return out;
  }
  Block counted;
  std::size_t timed = 0;
  for (const Observation& o : run.requests) {
    if (limit > 0 && timed == limit) break;
    timed += o.duration >= 0;
    if (o.duration >= 0 || metric.share()) counted.push_back(&o);
  }
  const std::size_t least = least_of_block(metric);
  if (counted.size() < kBlocks * least) {
    out.missing = std::to_string(counted.size()) + " requests in a capture: one capture a side needs " +
                  std::to_string(kBlocks * least);
    return out;
  }
  const auto [first, last] = std::minmax_element(counted.begin(), counted.end(),
                                                 [](const auto* a, const auto* b) { return a->start < b->start; });
  const double begin = static_cast<double>((*first)->start);
  const double length = (static_cast<double>((*last)->start) - begin + 1) / kBlocks;  // ns
  if (length < kDecorrelations * run.decorrelation * 1e9) {
    out.missing = "a capture of " + seconds_text(length * kBlocks / 1e9) +
                  " without its warm-up: one capture a side needs " +
                  seconds_text(kBlocks * kDecorrelations * run.decorrelation);
    return out;
  }
  std::vector<Block> blocks(kBlocks);
  for (const Observation* o : counted) {
    const double place = (static_cast<double>(o->start) - begin) / length;
    blocks[std::min(kBlocks - 1, static_cast<std::size_t>(place))].push_back(o);
  }
  for (const Block& block : blocks) {
    if (block.size() < least) {
      out.missing = "the requests are spread unevenly: a twentieth of the time has " + std::to_string(block.size()) +
                    ", and needs " + std::to_string(least);
      out.values.clear();
      return out;
    }
    out.values.push_back(value_of(block, run, metric));
  }
  out.floor = floor_of(out, counted.size(), metric);
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
    compare_sides(noise, side, with);
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
