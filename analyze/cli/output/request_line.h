// A request as `tailcap requests` prints it: one line of text.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/model/columns/facts.h"

namespace tailcap::cli {

std::string request_head();  // the names of the columns
// first: the beginning of the recording.
// Both ends' endpoints are set in facts where they are known.
std::string request_line(const model::columns::ColumnFacts& facts, formats::Time first, std::size_t width);

}  // namespace tailcap::cli
