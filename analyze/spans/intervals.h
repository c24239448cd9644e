// Which request was under way at a time, where it was the only one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "formats/time.h"
#include "ground/memory.h"

namespace tailcap::spans {

class Intervals {
 public:
  static constexpr std::uint32_t kNone = UINT32_MAX, kSeveral = UINT32_MAX - 1;

  // In any order; then settle() once. [from, to)
  void add(formats::Time from, formats::Time to, std::uint32_t row) {
    if (from < to) {
      edges_.push_back({from, row, true});
      edges_.push_back({to, row, false});
    }
  }

  void settle() {
    std::sort(edges_.begin(), edges_.end(), [](const Edge& a, const Edge& b) { return a.at < b.at; });
    std::uint64_t open = 0, sum = 0;  // the sum of the rows that are open: of one, the row itself
    for (std::size_t i = 0; i < edges_.size(); ++i) {
      if (edges_[i].begins) {
        ++open;
        sum += edges_[i].row;
      } else {
        --open;
        sum -= edges_[i].row;
      }
      if (i + 1 < edges_.size() && edges_[i + 1].at == edges_[i].at) continue;
      pieces_.emplace_back(edges_[i].at, open == 0 ? kNone : open == 1 ? static_cast<std::uint32_t>(sum) : kSeveral);
    }
    ground::release(edges_);
  }

  std::uint32_t at(formats::Time t) const {
    const auto after =
        std::upper_bound(pieces_.begin(), pieces_.end(), t, [](formats::Time x, const auto& p) { return x < p.first; });
    return after == pieces_.begin() ? kNone : std::prev(after)->second;
  }

 private:
  struct Edge {
    formats::Time at;
    std::uint32_t row;
    bool begins;
  };
  std::vector<Edge> edges_;
  std::vector<std::pair<formats::Time, std::uint32_t>> pieces_;  // from when on; until the next
};

}  // namespace tailcap::spans
