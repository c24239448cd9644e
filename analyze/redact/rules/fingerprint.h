// Which text it was: SHA-256.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tailcap::redact {

inline constexpr std::size_t kSha256Digits = 64;

// In hexadecimal, its first `digits`.
std::string fingerprint(std::string_view text, std::size_t digits = kSha256Digits);

}  // namespace tailcap::redact
