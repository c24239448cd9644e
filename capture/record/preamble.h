// What a capture says of itself at its beginning.
#pragma once

#include "capture/options/options.h"
#include "capture/probes/probes.h"
#include "formats/preamble.h"

namespace tailcap::capture {

formats::Preamble preamble_of(const Options& options, const Probes& probes);

}  // namespace tailcap::capture
