// Things with numbers, spread over parts: different threads can work at different parts at the same time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tailcap::ground {

inline constexpr std::size_t kParts = 4;
constexpr std::size_t part_of(std::uint32_t number) { return number % kParts; }
constexpr std::uint32_t place_in_part(std::uint32_t number) { return number / kParts; }

// One T for each part, none in a cache line of another.
template <class T>
struct alignas(64) OwnLine : T {};
template <class T>
using Parts = std::array<OwnLine<T>, kParts>;

}  // namespace tailcap::ground
