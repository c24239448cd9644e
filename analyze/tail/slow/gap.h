// Whether the slowest requests of a route are of another kind: their durations lie beyond a gap.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace tailcap::tail::slow {

// The number of the slowest durations beyond the lowest gap above the median; 0: there is none. sorted: ascending, ns.
// Less than half of them. By one of two rules, fixed before they were tried:
//
// - Empty gap. Two neighbours of which one is at least twice as long, and further apart than the spread of the middle
//   half explains at that place. At least 5 beyond.
// - Valley. Over the logarithm of the duration, the density of one kind falls from its mode on: of two octaves above
//   two thirds of the durations, the upper one has as many as the lower one at most. A count that contradicts this
//   would come by chance, wherever one looks, in at most 1 % of the routes, whatever the kind's distribution is, as
//   long as its requests are independent.
std::size_t beyond_gap(std::span<const std::int64_t> sorted);

// P(X >= at_least) of n throws of a coin.
double heads(std::size_t n, std::size_t at_least);

}  // namespace tailcap::tail::slow
