// Counts stacks.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analyze/model/study/flame.h"

namespace tailcap::flame {

class Folder {
 public:
  void add(const std::string& frames, std::uint64_t value, bool typical);
  std::uint64_t total(bool typical) const { return totals_[typical ? 1 : 0]; }

  // By frames. typical is made comparable: `slow` requests' worth of what `typical` requests spent; 0: no comparison.
  std::vector<model::FoldedStack> stacks(std::uint64_t slow, std::uint64_t typical) const;

 private:
  struct Sums {
    std::uint64_t value[2] = {0, 0};
  };
  std::map<std::string, Sums> sums_;
  std::uint64_t totals_[2] = {0, 0};
};

}  // namespace tailcap::flame
