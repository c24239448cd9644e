// How often threads were sampled while they ran.
#pragma once

#include <cstdint>

#include "formats/preamble.h"

namespace tailcap::model {

// A second, on each CPU; 0: not known. Of captures without the recorder's note: as the command line asked for it.
std::uint32_t sample_rate(const formats::Preamble& preamble);

}  // namespace tailcap::model
