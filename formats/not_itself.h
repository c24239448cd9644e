// Commands that write a capture anew never write over the one that they read.
#pragma once

#include <string>

namespace tailcap::formats {

// Throws std::runtime_error where both name one file, also by links. Neither has to exist.
void refuse_itself(const std::string& in, const std::string& out);

}  // namespace tailcap::formats
