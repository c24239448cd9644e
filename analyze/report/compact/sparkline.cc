#include "analyze/report/compact/sparkline.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <string_view>

namespace tailcap::report::compact {

std::string sparkline(std::span<const std::int64_t> values, bool plain) {
  constexpr std::array<std::string_view, 8> kBars = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
  constexpr std::array<std::string_view, 8> kPlain = {"_", ".", ":", "-", "=", "+", "*", "#"};
  const auto& levels = plain ? kPlain : kBars;
  std::int64_t most = 1;
  for (const std::int64_t v : values) most = std::max(most, v);
  std::string out;
  for (const std::int64_t v : values) {
    const double share = static_cast<double>(std::max<std::int64_t>(v, 0)) / static_cast<double>(most);
    // The lowest bar is nothing, or less than a seventh of the largest.
    const auto level = static_cast<std::size_t>(std::llround(share * static_cast<double>(levels.size() - 1)));
    out += v < 0 ? std::string_view{" "} : v == 0 ? levels[0] : levels[std::max<std::size_t>(level, 1)];
  }
  return out;
}

}  // namespace tailcap::report::compact
