// Readings of many processes in turns.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <unordered_set>
#include <vector>

namespace tailcap::capture {

// Up to `most` of these processes in the order of their numbers, from `next` on; `next` is where the following turn
// begins.
inline std::vector<std::uint32_t> turn_of(const std::unordered_set<std::uint32_t>& processes, std::size_t most,
                                          std::uint32_t& next) {
  std::vector<std::uint32_t> turns(processes.begin(), processes.end());
  std::sort(turns.begin(), turns.end());
  std::rotate(turns.begin(), std::lower_bound(turns.begin(), turns.end(), next), turns.end());
  next = most < turns.size() ? turns[most] : 0;
  turns.resize(std::min(turns.size(), most));
  return turns;
}

}  // namespace tailcap::capture
