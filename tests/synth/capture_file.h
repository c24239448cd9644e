// Writes synthetic events as a capture.
#pragma once

#include <span>
#include <string>

#include "formats/event.h"
#include "formats/preamble.h"

namespace tailcap::synth {

// A preamble that is the same every time: no host, no clock, no chance.
formats::Preamble plain_preamble();

// Overwrites path. CaptureEnd and Damage, which readers make, are left out.
void write_capture(const std::string& path, const formats::Preamble& preamble, std::span<const formats::Event> events);

}  // namespace tailcap::synth
