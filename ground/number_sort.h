// Sorting numbers by their digits: two to three times as fast as by comparing, where there are many.
#pragma once

#include <cstdint>
#include <vector>

namespace tailcap::ground {

void sort_numbers(std::vector<std::int64_t>& numbers);

// A thing by its place somewhere, and what it is sorted by. There may be tens of millions: without padding.
#pragma pack(push, 4)
struct Ranked {
  std::int64_t by = 0;
  std::uint32_t place = 0;
};
#pragma pack(pop)

// By (by, place).
void sort_ranked(std::vector<Ranked>& things);

}  // namespace tailcap::ground
