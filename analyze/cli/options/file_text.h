// A file that a person wrote and an option names.
#pragma once

#include <cstddef>
#include <string>

namespace tailcap::cli {

// At most a little more than so many bytes of it. Throws std::system_error.
std::string file_text(const std::string& path, std::size_t most);

}  // namespace tailcap::cli
