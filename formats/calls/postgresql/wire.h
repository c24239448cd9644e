// The messages of PostgreSQL: their types and lengths, and the bytes of names.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string_view>

#include "formats/calls/machine/machine.h"

namespace tailcap::formats::calls::postgresql {

inline constexpr std::uint32_t kSslRequest = 80877103, kGssRequest = 80877104, kCancelRequest = 80877102;
inline constexpr std::uint32_t kMaxStartup = 10'000;     // the server's MAX_STARTUP_PACKET_LENGTH
inline constexpr std::uint32_t kMaxCancel = 268;         // protocol 3.2 has keys of up to 256 bytes
inline constexpr std::uint32_t kMaxLarge = 0x3fff'ffff;  // the server allocates no more for a message
inline constexpr std::uint32_t kMaxSmall = 30'000;       // its PQ_SMALL_MESSAGE_LIMIT
inline constexpr std::uint32_t kMaxPassword = 65'535;    // its PG_MAX_AUTH_TOKEN_LENGTH

inline bool has(std::string_view set, char c) { return set.find(c) != set.npos; }
inline bool is_status(char c) { return has("ITE", c); }

// Which lengths, themselves included, messages have.
struct Lengths {
  std::string_view types;
  std::uint32_t least, most;
};
inline constexpr Lengths kRequests[] = {
    {"SHXc", 4, 4},      {"Q", 5, kMaxLarge},    {"P", 8, kMaxLarge},  {"B", 12, kMaxLarge}, {"F", 14, kMaxLarge},
    {"d", 4, kMaxLarge}, {"p", 4, kMaxPassword}, {"DC", 6, kMaxSmall}, {"E", 9, kMaxSmall},  {"f", 5, kMaxSmall}};
inline constexpr Lengths kResponses[] = {
    {"123nsIc", 4, 4},      {"Z", 5, 5},          {"C", 5, kMaxSmall},       {"EN", 5, kMaxLarge},
    {"TtDS", 6, kMaxLarge}, {"A", 10, kMaxSmall}, {"K", 12, kMaxCancel - 4}, {"GHW", 7, kMaxLarge},
    {"VR", 8, kMaxLarge},   {"v", 12, kMaxLarge}, {"d", 4, kMaxLarge}};

// Null: no such message.
inline const Lengths* lengths_of(Side side, char type) {
  const std::span<const Lengths> rows = side == Side::requests ? std::span<const Lengths>(kRequests) : kResponses;
  const auto row = std::ranges::find_if(rows, [type](const Lengths& one) { return has(one.types, type); });
  return row == rows.end() ? nullptr : &*row;
}

inline bool legal_length(Side side, char type, std::uint64_t n) {
  const Lengths* row = lengths_of(side, type);
  return row != nullptr && n >= row->least && n <= row->most;
}

// What a text may hold to be kept. '*' is in none of them: a masked text reads as the whole one.
struct Kept {
  std::uint8_t most;
  bool small, blank;
  std::string_view others;
  bool holds(char c) const {
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (small && c >= 'a' && c <= 'z') || (blank && c == ' ') ||
           has(others, c);
  }
};

inline constexpr Kept kName = {63, true, false, "_$.:-/"};  // the server uses the first 63 bytes of a name

}  // namespace tailcap::formats::calls::postgresql
