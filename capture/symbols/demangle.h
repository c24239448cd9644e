// Names of functions of C++ and Rust as people write them.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::capture::symbols {

bool is_mangled(std::string_view name);  // it begins like one
// The name itself where it is none of theirs, or too intricate. Rust's hashes are left out.
std::string demangled(std::string_view name);

}  // namespace tailcap::capture::symbols
