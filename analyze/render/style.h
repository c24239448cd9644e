// How a terminal shows text: select graphic rendition, of ECMA-48. Colours of the 16 that a user can choose.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::render {

inline constexpr std::string_view kBold = "1", kDim = "2", kAlarm = "1;31", kCare = "33", kGood = "32", kCommand = "36";

// Line by line: a pager shows each by itself. An empty style changes nothing.
std::string styled(const std::string& text, std::string_view style);

}  // namespace tailcap::render
