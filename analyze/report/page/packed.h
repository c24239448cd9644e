// Bytes as a page carries them: deflated (zlib's format, which a browser's DecompressionStream reads), in base64.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::report::page {

std::string packed(std::string_view bytes);

}  // namespace tailcap::report::page
