// What the spread of ordinary requests alone makes of the slowest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

namespace tailcap::tail::verdict {

// The mean of the slowest share (1 - from) of values, if their logarithms went on beyond the middle half as within it.
// The narrower side of the middle half counts: a second mode on the other is no spread.
double ordinary_mean_beyond(double from, double q25, double q50, double q75);

// P(X >= count) of a Poisson variable.
double poisson_at_least(std::uint64_t count, double mean);

// Exact 95 % interval of the mean of a Poisson variable that was seen once as `count`.
std::pair<double, double> poisson_interval(std::uint64_t count);

}  // namespace tailcap::tail::verdict
