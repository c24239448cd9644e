#pragma once

#include <cstdint>

namespace tailcap::report {

// Raised when a name changes its meaning or goes away; new names do not raise it.
inline constexpr std::int64_t kJsonSchema = 3;

}  // namespace tailcap::report
