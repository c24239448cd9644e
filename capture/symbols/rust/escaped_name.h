// Names of Rust functions in the older way of mangling: as those of C++, with escapes for what C++ does not have.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tailcap::capture::symbols {

// A name that C++'s rules have made readable,
// "_$LT$shop..Cart$u20$as$u20$core..fmt..Debug$GT$::fmt::h0123456789abcdef", if it has Rust's hash at its end:
// "<shop::Cart as core::fmt::Debug>::fmt". None: it is not Rust's.
std::optional<std::string> without_rust_escapes(std::string_view name);

}  // namespace tailcap::capture::symbols
