// Names of Rust functions in the way of mangling that says types in full: "_R…", the usual one since 2025.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tailcap::capture::symbols {

// "_RNvCs1_4shop6render": "shop::render". None: it is no such name, or too intricate.
std::optional<std::string> demangled_rust(std::string_view name);

}  // namespace tailcap::capture::symbols
