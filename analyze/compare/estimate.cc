#include "analyze/compare/estimate.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "analyze/compare/welch.h"

namespace tailcap::compare {
namespace {

using model::gate::GateEstimate;
using model::gate::Metric;

constexpr double kLeastBytes = 0.5;  // what is less is no change, as it is written

struct Side {
  std::vector<double> values, levels;
  double floor = 0;
  bool constant = false;
  bool at_least = false;
};

Side side_of(std::span<const RunValue> runs) {
  Side out;
  for (const RunValue& run : runs) {
    out.values.push_back(run.value);
    out.levels.push_back(run.level);
    out.floor += run.floor / static_cast<double>(runs.size());
    out.at_least = out.at_least || run.at_least;
  }
  out.constant = never_varies(runs);
  return out;
}

void fill(const Metric& metric, const Effect& effect, double alpha, GateEstimate& out) {
  const auto unit = [&](double x) { return metric.relative() ? std::expm1(x) : x; };
  out.known = true;
  out.difference = unit(effect.difference);
  out.low = unit(effect.bound(0.05));
  out.high = unit(effect.bound(0.95));
  out.mde = unit(effect.detectable(alpha));
  out.se = effect.se;
  out.df = effect.df;
  out.p_above = effect.p_above();
  out.p_two = effect.p_two();
}

}  // namespace

bool never_varies(std::span<const RunValue> runs) {
  return std::all_of(runs.begin(), runs.end(),
                     [&](const RunValue& run) { return run.constant && run.value == runs.front().value; });
}

bool seldom_varies(std::span<const RunValue> runs) {
  return std::ranges::all_of(runs, [&](const RunValue& run) { return run.usual && run.usual == runs.front().usual; });
}

GateEstimate estimate(const Metric& metric, std::span<const RunValue> base, std::span<const RunValue> fresh,
                      double alpha, Pairs pairs) {
  GateEstimate out;
  for (const auto runs : {base, fresh})
    for (const RunValue& run : runs)
      if (!run.known) {
        out.missing = run.missing;
        return out;
      }
  const Side b = side_of(base), n = side_of(fresh);
  if (b.values.empty() || n.values.empty()) {
    out.missing = "a side has no runs";
    return out;
  }
  // What is compared by its logarithm: the geometric mean of the runs, so that the change is that from the one to the
  // other. The others are means, so that the parts of a sum sum.
  const bool logarithm = metric.relative();
  out.steady = seldom_varies(base);
  out.base_at_least = b.at_least;
  out.fresh_at_least = n.at_least;
  out.base = logarithm ? std::exp(mean_of(b.values)) : mean_of(b.levels);
  out.fresh = logarithm ? std::exp(mean_of(n.values)) : mean_of(n.levels);
  out.exact = metric.counted() && b.constant && n.constant;
  if (out.exact) {
    out.known = out.levels = true;
    out.difference = out.low = out.high = out.fresh - out.base;
    out.p_above = out.difference > 0 ? 0 : 1;
    out.p_two = out.difference != 0 ? 0 : 1;
    return out;
  }
  out.levels = true;
  if (b.values.size() < 2 || n.values.size() < 2) {
    out.missing = "one run says nothing about how runs vary";
    return out;
  }
  fill(
      metric,
      pairs == Pairs::yes ? paired(b.values, n.values, b.floor + n.floor) : welch(b.values, n.values, b.floor, n.floor),
      alpha, out);
  return out;
}

GateEstimate estimate_by_blocks(const Metric& metric, const RunValue& base, const RunValue& fresh,
                                const BlockValues& base_blocks, const BlockValues& fresh_blocks, const Noise& noise,
                                double alpha) {
  GateEstimate out;
  for (const std::string* missing : {&base.missing, &fresh.missing, &base_blocks.missing, &fresh_blocks.missing})
    if (out.missing.empty()) out.missing = *missing;
  out.levels = base.known && fresh.known;
  out.base = base.level;
  out.fresh = fresh.level;
  out.base_at_least = base.at_least;
  out.fresh_at_least = fresh.at_least;
  // Nothing can be assumed about times and shares.
  if (out.missing.empty() && !metric.relative() && !(noise.df > 0)) out.missing = noise.missing;
  if (!out.missing.empty()) return out;
  // The change is that from one mean of the blocks to the other.
  const auto mean = [&](const BlockValues& blocks) {
    return metric.relative() ? std::exp(mean_of(blocks.values)) : mean_of(blocks.values);
  };
  out.base = mean(base_blocks);
  out.fresh = mean(fresh_blocks);
  // Both runs differ from others of their version.
  fill(metric,
       widened(welch(base_blocks.values, fresh_blocks.values, base_blocks.floor, fresh_blocks.floor),
               2 * noise.variance, noise.df > 0 ? noise.df : HUGE_VAL),
       alpha, out);
  return out;
}

bool sure(const GateEstimate& e) {
  return e.difference > 0 ? e.low - e.slack > 0 && !e.base_at_least : e.high + e.slack < 0 && !e.fresh_at_least;
}

bool large(const Metric& metric, const GateEstimate& e, double route_mean) {
  const double size = std::abs(e.difference);
  switch (metric.kind) {
    case Metric::Kind::p99:
    case Metric::Kind::own_p99:
      return size >= 0.10;
    case Metric::Kind::p50:
    case Metric::Kind::p95:
    case Metric::Kind::mean:
    case Metric::Kind::own_mean:
      return size >= 0.05;
    case Metric::Kind::errors:
    case Metric::Kind::client_errors:
      return size >= 0.0025;
    case Metric::Kind::label:
      return size >= std::max(0.01 * route_mean, 50'000.0);
    case Metric::Kind::count:
      if (model::gate::of_bytes(metric.which) && size < kLeastBytes) return false;
      [[fallthrough]];
    case Metric::Kind::waits:
      return e.exact || size >= 0.01 * e.base;
  }
  return false;
}

}  // namespace tailcap::compare
