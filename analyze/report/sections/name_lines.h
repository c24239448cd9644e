// Lookups of names in words, one line per name and server.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/study.h"

namespace tailcap::report {

inline constexpr std::size_t kNamesShown = 20;

// "shop.test: 2 lookups at 127.0.0.53:53, median 50.9 ms, longest 51.0 ms; 1 × NXDOMAIN". printable().
std::vector<std::string> name_lines(const model::Study& study);

}  // namespace tailcap::report
