// What a flame graph says about itself, and which of the requests chosen are slow and typical.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "analyze/flame/folder.h"
#include "analyze/views/flame/stacks.h"

namespace tailcap::views {

struct RankedRequest {
  std::int64_t duration = 0;  // ns
  std::uint32_t row = 0;
};

struct Ranking {
  std::uint64_t needed = 0;                      // not 0: too few to tell slow from typical; this number is needed
  std::size_t slow = 0;                          // how many of the last requests
  std::size_t typical_from = 0, typical_to = 0;  // places
  std::int64_t slow_from = 0;                    // ns
  std::size_t typical() const { return typical_to - typical_from; }
};

// Sorts the requests, fastest first. For all of them, all count as slow.
Ranking rank(std::vector<RankedRequest>& requests, FlameRequests cohort);

// Fills what is said of the stacks in the folder. ranking: null where stacks were not selected by request.
void describe(const FlameChoice& choice, const Ranking* ranking, const flame::Folder& folder, FlameResult& result);

}  // namespace tailcap::views
