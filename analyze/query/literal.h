// Durations, sizes and numbers as people write them. Durations, sizes and whole numbers are exact: no floating point.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tailcap::query {

// "20ms", "1.5s", "1m30s", "250us", "0": nanoseconds. Without a unit only 0. Not negative.
std::optional<std::int64_t> parse_duration(std::string_view text);

// "4096", "10k", "10kB", "1.5MB" (powers of 1000), "1MiB" (powers of 1024), "12B".
std::optional<std::int64_t> parse_size(std::string_view text);

// "0.25", "12": not negative, without an exponent. Rounded to the nearest double.
std::optional<double> parse_decimal(std::string_view text);

// "0.5%", "12 %": a share, at most 1. Rounded to the nearest double.
std::optional<double> parse_percentage(std::string_view text);

// Decimal digits only.
std::optional<std::int64_t> parse_number(std::string_view text);

}  // namespace tailcap::query
