// Durations and sizes as people write them: "30s", "500ms", "2m"; "500MB", "64KiB", "4096".
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace tailcap::capture {

// Throw std::invalid_argument saying what is wrong with the text and what would be right.
std::chrono::nanoseconds parse_duration(const std::string& text);
std::uint64_t parse_size(const std::string& text);

std::string show_size(std::uint64_t bytes);    // "45.2 MB"
std::string show_count(std::uint64_t number);  // "1,234,567"

}  // namespace tailcap::capture
