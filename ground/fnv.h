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

// Every bit of the result depends on every bit of the hash: the finalizer of MurmurHash3.
constexpr std::uint64_t mixed(std::uint64_t hash) {
  hash = (hash ^ (hash >> 33)) * 0xff51afd7ed558ccdu;
  hash = (hash ^ (hash >> 33)) * 0xc4ceb9fe1a85ec53u;
  return hash ^ (hash >> 33);
}

}  // namespace tailcap::ground
