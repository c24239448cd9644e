#include "formats/nearest.h"

#include <algorithm>
#include <cstddef>
#include <vector>

namespace tailcap::formats {
namespace {

constexpr std::size_t kLongest = 64;  // what is longer is no slip of the finger

// The number of changes: optimal string alignment, by three rows of its table.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    before.swap(last);
    last.swap(row);
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

std::string_view nearest(std::string_view word, std::span<const std::string_view> names) {
  if (word.size() > kLongest) return {};
  std::string_view best;
  std::size_t least = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string_view name : names) {
    if (name.size() > kLongest) continue;
    if (const std::size_t changes = distance(word, name); changes < least && changes < name.size()) {
      best = name;
      least = changes;
    }
  }
  return best;
}

std::string suggestion(std::string_view word, std::span<const std::string_view> names, std::string_view before) {
  const std::string_view name = nearest(word, names);
  return name.empty() ? std::string() : ": did you mean '" + std::string(before) + std::string(name) + "'?";
}

}  // namespace tailcap::formats
