#include "analyze/compare/welch.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

#include "analyze/model/statistics/t_distribution.h"

namespace tailcap::compare {
namespace {

constexpr double kMostFreedom = 1e6;  // beyond that, t is the normal distribution

}  // namespace

double mean_of(std::span<const double> values) {
  assert(!values.empty());
  double sum = 0;
  for (const double v : values) sum += v;
  return sum / static_cast<double>(values.size());
}

double variance_of(std::span<const double> values) {
  assert(values.size() >= 2);
  // Equal values have no variance, whatever their mean is rounded to.
  if (std::all_of(values.begin(), values.end(), [&](double v) { return v == values.front(); })) return 0;
  const double mean = mean_of(values);
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return squares / static_cast<double>(values.size() - 1);
}

Effect welch(std::span<const double> base, std::span<const double> fresh, double base_floor, double fresh_floor) {
  assert(base.size() >= 2 && fresh.size() >= 2);
  const double kb = static_cast<double>(base.size()), kn = static_cast<double>(fresh.size());
  const double b = std::max(variance_of(base), base_floor) / kb, n = std::max(variance_of(fresh), fresh_floor) / kn;
  Effect out;
  out.difference = mean_of(fresh) - mean_of(base);
  out.se = std::sqrt(b + n);
  out.df = b + n > 0 ? (b + n) * (b + n) / (b * b / (kb - 1) + n * n / (kn - 1)) : kb + kn - 2;
  return out;
}

Effect paired(std::span<const double> base, std::span<const double> fresh, double floor) {
  assert(base.size() == fresh.size() && base.size() >= 2);
  std::vector<double> differences;
  for (std::size_t i = 0; i < base.size(); ++i) differences.push_back(fresh[i] - base[i]);
  const double k = static_cast<double>(base.size());
  Effect out;
  out.difference = mean_of(differences);
  out.se = std::sqrt(std::max(variance_of(differences), floor) / k);
  out.df = k - 1;
  return out;
}

Effect widened(Effect effect, double variance, double df) {
  assert(variance >= 0 && df > 0);
  const double own = effect.se * effect.se, all = own + variance;
  if (!(all > 0)) return effect;
  const double parts = own * own / effect.df + variance * variance / df;
  effect.se = std::sqrt(all);
  effect.df = parts > 0 ? std::min(all * all / parts, kMostFreedom) : kMostFreedom;
  return effect;
}

double Effect::p_above() const {
  if (point()) return difference > 0 ? 0 : 1;
  return model::t_above(difference / se, df);
}

double Effect::p_two() const {
  if (point()) return difference != 0 ? 0 : 1;
  return std::min(1.0, 2 * model::t_above(std::abs(difference) / se, df));
}

double Effect::bound(double p) const { return point() ? difference : difference + model::t_quantile(p, df) * se; }

double Effect::detectable(double alpha) const {
  return point() ? 0 : (model::t_quantile(1 - alpha, df) + model::t_quantile(0.8, df)) * se;
}

}  // namespace tailcap::compare
