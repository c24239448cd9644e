// Stacks with what was spent in them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tailcap::flow {

// frames: outermost first, joined by ';'. What the kernel did ends with "_[k]".
struct FoldedStack {
  std::string frames;
  std::uint64_t value = 0;    // samples, or nanoseconds
  std::uint64_t typical = 0;  // of a comparison: the same in the typical requests, as many of them as there are slow ones
  bool operator==(const FoldedStack&) const = default;
};

struct Flame {
  std::string title, subtitle;
  bool time = false;        // values are nanoseconds; otherwise samples
  bool comparison = false;  // typical counts
  std::vector<FoldedStack> stacks;  // by frames
};

}  // namespace tailcap::flow
