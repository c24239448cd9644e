// What two recordings of one service differ by without any change of it: what one recording cannot show.
#pragma once

#include <cstddef>

#include "analyze/compare/sides/side_sample.h"
#include "analyze/model/difference/difference.h"

namespace tailcap::compare {

// How two captures differ in what surrounds the service.
struct Surroundings {
  double crowding = 0;  // logarithm of the ratio of (on a CPU + waiting for one) to (on a CPU), B's less A's
  double load = 0;      // logarithm of the ratio of the rates
};
Surroundings surroundings_of(const model::difference::SideSummary& a, const model::difference::SideSummary& b);

// The standard deviation of the logarithm of a time between two recordings.
double noise_of_label(std::size_t account, const Surroundings& around);
// The same of the mean time of a request without waits for a CPU, in ns: by what it consists of.
double noise_of_own(const SideSample& a, const SideSample& b, const Surroundings& around);
// Its p99: of the logarithm.
double noise_of_tail(const SideSample& a, const SideSample& b, const Surroundings& around);
// As a share of a number per request that varies.
inline constexpr double kCountNoise = 0.02;

}  // namespace tailcap::compare
