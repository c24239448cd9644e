// Keeps those with the most time of each label.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace tailcap::model {

// Sorts by label, then by time, most first, and keeps at most `most` of each label. T has `label` and `time`.
template <class T>
void keep_most_by_label(std::vector<T>& all, std::size_t most) {
  if (all.size() > 1)  // else it would allocate memory all the same
    std::stable_sort(all.begin(), all.end(),
                     [](const T& a, const T& b) { return a.label != b.label ? a.label < b.label : a.time > b.time; });
  std::size_t of_label = 0, kept = 0;
  for (std::size_t i = 0; i < all.size(); ++i) {
    of_label = i > 0 && all[i].label == all[i - 1].label ? of_label + 1 : 0;
    if (of_label < most) all[kept++] = all[i];
  }
  all.resize(kept);
}

}  // namespace tailcap::model
