// Which facts of a request are only known when the recording has ended.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::query {

// The first such field that an expression of --where asks about; empty: none.
std::string later_field(std::string_view expression);
// Likewise one whose value may be another when more of the recording is read.
std::string unsettled_field(std::string_view expression);

}  // namespace tailcap::query
