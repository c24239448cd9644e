// Colours of texts in drawings: those of the page, or of a drawing that stands alone.
#pragma once

#include <string_view>

namespace tailcap::report {

inline constexpr std::string_view kInk = "fill:var(--fg,#1b1f24)", kSoftInk = "fill:var(--soft,#57606a)";

}  // namespace tailcap::report
