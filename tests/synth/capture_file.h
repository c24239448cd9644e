// Writes synthetic events as a capture.
#pragma once

#include <span>
#include <string>

#include "formats/event.h"
#include "formats/preamble.h"

namespace tailcap::synth {

// A preamble that is the same every time: no host, no clock, no random values.
formats::Preamble plain_preamble();

// Overwrites path. Omits CaptureEnd and Damage, which readers make.
void write_capture(const std::string& path, const formats::Preamble& preamble, std::span<const formats::Event> events);

}  // namespace tailcap::synth
