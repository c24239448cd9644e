// Tells credentials from names in the segments of a path.
#pragma once

#include <cstddef>
#include <string_view>

namespace tailcap::capture::mask {

inline constexpr std::size_t kShortestCredential = 20;  // characters

// Whether a run of letters, digits and the signs between them is taken for a credential: it does not read like words,
// and it has 20 characters of at least two kinds (small letters, capitals, digits), or 128 bits if they are of one
// kind. A UUID is none.
bool is_credential(std::string_view run);

// Whether a run of which more may follow could turn out to be one. Its first few characters never say so.
bool may_be_credential(std::string_view begin);

}  // namespace tailcap::capture::mask
