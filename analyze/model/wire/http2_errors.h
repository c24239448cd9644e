// Error codes of HTTP/2 (RFC 9113, section 7) in words.
#pragma once

#include <cstdint>
#include <string>

namespace tailcap::model {

std::string http2_error(std::uint32_t code);  // "ENHANCE_YOUR_CALM (11)"; "code 99" for others

}  // namespace tailcap::model
