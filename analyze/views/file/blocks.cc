#include "analyze/views/file/blocks.h"

namespace tailcap::views {

std::vector<formats::BlockStatus> blocks_of(const std::string& path) { return formats::Reader(path).check(); }

}  // namespace tailcap::views
