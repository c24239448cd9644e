// FNV-1a of 64 bits: a number for a text that is the same on every machine. It withstands no attacker.
#pragma once

#include <cstdint>
#include <string_view>

namespace tailcap::ground {

inline constexpr std::uint64_t kFnvBasis = 0xcbf29ce484222325;

constexpr std::uint64_t fnv_step(std::uint64_t hash, std::uint64_t unit) { return (hash ^ unit) * 0x100000001b3; }

constexpr std::uint64_t fnv(std::string_view text, std::uint64_t hash = kFnvBasis) {
  for (const char c : text) hash = fnv_step(hash, static_cast<unsigned char>(c));
  return hash;
}

}  // namespace tailcap::ground
