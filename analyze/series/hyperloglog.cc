#include "analyze/series/hyperloglog.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "ground/fnv.h"

namespace tailcap::series {

std::uint64_t HyperLogLog::hash_of(std::string_view text) { return ground::mixed(ground::fnv(text)); }

void HyperLogLog::add_hash(std::uint64_t hash) {
  const std::size_t place = hash >> (64 - kBits);
  // The first bit that is set among the others, from 1; none: one more than there are.
  const std::uint64_t rest = hash << kBits | (std::uint64_t{1} << (kBits - 1));
  const auto rank = static_cast<std::uint8_t>(std::countl_zero(rest) + 1);
  std::uint8_t& held = (*registers_)[place];
  held = std::max(held, rank);
}

void HyperLogLog::merge(const HyperLogLog& other) {
  for (std::size_t i = 0; i < kRegisters; ++i) (*registers_)[i] = std::max((*registers_)[i], (*other.registers_)[i]);
}

double HyperLogLog::estimate() const {
  constexpr auto m = static_cast<double>(kRegisters);
  constexpr double alpha = 0.7213 / (1 + 1.079 / m);
  double sum = 0;
  std::size_t empty = 0;
  for (const std::uint8_t r : *registers_) {
    sum += std::ldexp(1.0, -int{r});
    empty += r == 0;
  }
  const double raw = alpha * m * m / sum;
  return raw <= 2.5 * m && empty > 0 ? m * std::log(m / static_cast<double>(empty)) : raw;
}

}  // namespace tailcap::series
