// A request as `tailcap requests` prints it: one line of text.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/model/request.h"

namespace tailcap::cli {

std::string request_head();  // the names of the columns
// first: the beginning of the recording.
std::string request_line(const model::Request& row, const model::TextPool& texts, formats::Time first,
                         std::size_t width);

}  // namespace tailcap::cli
