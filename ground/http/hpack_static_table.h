// The static table (RFC 7541, appendix A).
#pragma once

#include <cstdint>
#include <string_view>

namespace tailcap::ground::hpack {

struct StaticEntry {
  std::string_view name, value;
};

inline constexpr std::uint32_t kStaticEntries = 61;

// index: 1 … kStaticEntries.
const StaticEntry& static_entry(std::uint32_t index);

}  // namespace tailcap::ground::hpack
