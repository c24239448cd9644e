// A row of small bars, one for each window of time.
#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace tailcap::report::compact {

inline constexpr std::int64_t kNothing = -1;  // no value: a space

// Heights are shares of the largest value; what is above 0 is never drawn as 0. plain: in ASCII.
std::string sparkline(std::span<const std::int64_t> values, bool plain);

}  // namespace tailcap::report::compact
