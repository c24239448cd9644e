#include "analyze/model/policy/formula.h"

#include <algorithm>

namespace tailcap::model::policy {
namespace {

constexpr double kMostErrors = 0.05, kLowest = 0.01, kHighest = 1;

}  // namespace

std::string_view name_of(RateFormula formula) {
  return formula == RateFormula::adaptive ? "adaptive" : "adaptive_clamped";
}

double formula_rate(RateFormula formula, double errors, double per_second, double p95_ms) {
  if (errors > kMostErrors) return kLowest;
  const double base = 0.1 + 0.4 * std::min(per_second / 1000, 1.0);
  double latency = std::max(0.2, 1 - (p95_ms - 800) / 2000);
  if (formula == RateFormula::adaptive_clamped) latency = std::min(latency, 1.0);
  return std::clamp(base * latency, kLowest, kHighest);
}

std::optional<double> formula_rate(RateFormula formula, const WindowFigures& figures) {
  if (figures.errors && *figures.errors > kMostErrors) return kLowest;
  if (!figures.errors || !figures.per_second || !figures.p95) return std::nullopt;
  return formula_rate(formula, *figures.errors, *figures.per_second, *figures.p95 / 1e6);
}

}  // namespace tailcap::model::policy
