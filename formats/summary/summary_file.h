// Summaries as bytes: formats/FORMAT.md, "Summaries". The same summary gives the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "formats/summary/summary.h"

namespace tailcap::formats {

inline constexpr std::uint64_t kMostSummaryRaw = 256u << 20;  // bytes of a message
inline constexpr std::uint64_t kMostSummaryFile = kMostSummaryRaw + (kMostSummaryRaw >> 8) + (1u << 16);

// The bytes begin as those of a summary.
bool is_summary(std::span<const std::byte> bytes);

// Throws std::runtime_error where it would have more than kMostSummaryRaw bytes.
std::string encode_summary(const Summary& summary);
// Returns why the bytes are no summary, or an empty string. All of `out` is within the limits of summary.h.
std::string decode_summary(std::span<const std::byte> bytes, Summary& out);

// Throws std::runtime_error with the file's name: it cannot be read, or is no summary.
Summary read_summary(const std::string& path);
bool is_summary_file(const std::string& path);

}  // namespace tailcap::formats
