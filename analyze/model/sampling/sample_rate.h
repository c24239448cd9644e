// How often threads were sampled while they ran.
#pragma once

#include <cstdint>

#include "formats/preamble.h"

namespace tailcap::model {

// Samples a second on each CPU; 0: not known. Without the recorder's note, it is what the command line asked for.
std::uint32_t sample_rate(const formats::Preamble& preamble);

}  // namespace tailcap::model
