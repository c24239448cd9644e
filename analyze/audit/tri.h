// Yes, no, or not known.
#pragma once

#include <algorithm>
#include <cstdint>

namespace tailcap::audit {

enum class Tri : std::uint8_t { no, unknown, yes };

constexpr Tri both(Tri a, Tri b) { return std::min(a, b); }
constexpr Tri either(Tri a, Tri b) { return std::max(a, b); }
constexpr Tri tri(bool value) { return value ? Tri::yes : Tri::no; }

}  // namespace tailcap::audit
