// Names of C++ functions as people write them.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::capture::symbols {

// The name itself where it is none of C++'s, or too intricate. Of Rust's names the hash is left out.
std::string demangled(std::string_view name);

}  // namespace tailcap::capture::symbols
