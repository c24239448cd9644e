// Formulas that compute the rate of a route from its last window: its load, its failures, its p95. docs/policy.md.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "formats/time.h"

namespace tailcap::model::policy {

enum class RateFormula : std::uint8_t {
  adaptive,          // as the first documents have it: below 800 ms its latency factor exceeds 1
  adaptive_clamped,  // the factor is at most 1
};
inline constexpr std::array kRateFormulas = {RateFormula::adaptive, RateFormula::adaptive_clamped};
std::string_view name_of(RateFormula formula);

// Rates are computed once in this time, of the requests that ended in it.
inline constexpr formats::Duration kFormulaWindow = std::chrono::seconds{10};

// What is known of the requests of one route that ended in a window.
struct WindowFigures {
  std::uint64_t requests = 0;
  std::optional<double> per_second;  // of all connections; unset: not known, or the window is not over
  std::optional<double> errors;      // the share that failed
  std::optional<double> p95;         // ns
};

// errors: a share. In [0.01, 1].
double formula_rate(RateFormula formula, double errors, double per_second, double p95_ms);
// Empty: the figures do not decide it. Too many errors do, whatever else is not known.
std::optional<double> formula_rate(RateFormula formula, const WindowFigures& figures);

}  // namespace tailcap::model::policy
