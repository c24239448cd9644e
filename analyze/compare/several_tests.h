// Many tests at once: p-values that can be held against one level.
#pragma once

#include <span>
#include <vector>

namespace tailcap::compare {

// Adjusted so that below a level alpha the chance of any wrong rejection is at most alpha (Holm).
std::vector<double> holm(std::span<const double> p);
// So that below it the expected share of wrong ones among the rejections is at most alpha (Benjamini and Hochberg).
std::vector<double> benjamini_hochberg(std::span<const double> p);

}  // namespace tailcap::compare
