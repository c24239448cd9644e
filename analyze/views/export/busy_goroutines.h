// Which goroutines of a capture are shown where not all are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "analyze/pipeline/pipeline.h"

namespace tailcap::views {

struct BusyGoroutines {
  bool all = true;                                             // none is left out, and `chosen` is empty
  std::set<std::pair<std::uint32_t, std::uint64_t>> chosen{};  // by process and number
  std::uint64_t left_out = 0;
  bool contains(std::uint32_t pid, std::uint64_t number) const { return all || chosen.contains({pid, number}); }
};

// Those with states that ran longest while they served requests, then those that ran longest. analysis: of all
// requests.
BusyGoroutines busy_goroutines(const std::string& file, const pipeline::Options& options,
                               const pipeline::Analysis& analysis, std::size_t most);

}  // namespace tailcap::views
