// The blocks of a capture, verified one after the other.
#pragma once

#include <string>
#include <vector>

#include "formats/file/reader.h"

namespace tailcap::views {

std::vector<formats::BlockStatus> blocks_of(const std::string& path);

}  // namespace tailcap::views
