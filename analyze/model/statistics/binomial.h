// The binomial distribution.
#pragma once

#include <cstdint>

namespace tailcap::model {

// The probability that chance alone makes at least `hits` of n trials succeed, each with this probability.
double at_least_by_chance(std::uint64_t hits, std::uint64_t n, double probability);

}  // namespace tailcap::model
