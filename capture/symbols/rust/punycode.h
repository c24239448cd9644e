// Identifiers outside ASCII, as Rust writes them into names of functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tailcap::capture::symbols {

// RFC 3492 with '_' before the encoded part: "gre_rda2t" is "größe". None: it is not valid, or too long.
std::optional<std::string> decode_punycode(std::string_view text);

}  // namespace tailcap::capture::symbols
