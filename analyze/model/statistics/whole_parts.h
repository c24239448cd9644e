// Rounding that keeps a sum.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tailcap::model {

// Whole numbers that sum to the rounded sum of `values`, each less than 1 from its own (largest remainder).
std::vector<std::int64_t> whole_parts(std::span<const double> values);

}  // namespace tailcap::model
