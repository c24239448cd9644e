// What went on in a window of a capture.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/study/lanes.h"

namespace tailcap::pipeline {

// pids: of these processes only; empty: of all. Throws like analyze().
model::Lanes lanes_of(const std::string& path, formats::Time from, formats::Time to, std::vector<std::uint32_t> pids,
                      unsigned threads = 0);

}  // namespace tailcap::pipeline
