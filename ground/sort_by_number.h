// Sorting things by a number: by its digits where there are many.
#pragma once

#include <array>
#include <boost/sort/spreadsort/integer_sort.hpp>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace tailcap::ground {

// Where there are fewer, comparing is as fast; where there are more, a second copy would take much memory, and it is
// sorted in place.
inline constexpr std::size_t kLeastByBytes = 512, kMostByBytes = 1u << 20;

// By one byte of the numbers after the other, from the lowest that differs in any two.
template <class Thing, class Number>
void sort_by_bytes(std::vector<Thing>& things, const Number& number) {
  std::uint64_t differing = 0, before = number(things.front());
  bool sorted = true;
  for (const Thing& thing : things) {
    const std::uint64_t n = number(thing);
    differing |= n ^ before;
    sorted = sorted && before <= n;
    before = n;
  }
  if (sorted) return;
  std::vector<Thing> other(things.size());
  for (unsigned shift = 0; shift < 64; shift += 8) {
    if ((differing >> shift & 0xff) == 0) continue;
    const auto byte = [&](const Thing& thing) { return static_cast<std::size_t>(number(thing) >> shift & 0xff); };
    std::array<std::size_t, 256> place{};
    for (const Thing& thing : things) ++place[byte(thing)];
    std::size_t lower = 0;
    for (std::size_t& at : place) lower += std::exchange(at, lower);
    for (Thing& thing : things) other[place[byte(thing)]++] = std::move(thing);
    things.swap(other);
  }
}

// number(thing) is an unsigned integer. Things with the same number are in any order.
template <class Thing, class Number>
void sort_by_number(std::vector<Thing>& things, const Number& number) {
  if (things.size() >= kLeastByBytes && things.size() <= kMostByBytes) return sort_by_bytes(things, number);
  boost::sort::spreadsort::integer_sort(
      things.begin(), things.end(), [&](const Thing& thing, unsigned digits) { return number(thing) >> digits; },
      [&](const Thing& a, const Thing& b) { return number(a) < number(b); });
}

}  // namespace tailcap::ground
