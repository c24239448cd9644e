// Keys of notes that the recorder writes for the analyser.
#pragma once

#include <string_view>

namespace tailcap::ground {

// From its time on nothing is complete: the recorder removes its kernel programs, which takes a tenth of a second and
// more.
inline constexpr std::string_view kStopsNote = "tailcap.stops";

// Of a process: "7f001234 cart_mutex", a lock at which its threads waited.
inline constexpr std::string_view kLockNote = "tailcap.lock";

// In the preamble: "997", samples a second of each CPU, where there are any.
inline constexpr std::string_view kSampleRateNote = "tailcap.sampling.samples";

}  // namespace tailcap::ground
