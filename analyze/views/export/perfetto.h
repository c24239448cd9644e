// A capture as a Perfetto trace: threads, goroutines, requests with what they waited for, and what caused what.
#pragma once

#include <cstddef>

#include "analyze/views/export/exported.h"

namespace tailcap::views {

inline constexpr std::size_t kGoroutineTracks = 50;  // a viewer becomes slow with thousands

// goroutines: how many have tracks at most.
Exported export_perfetto(const std::string& file, const pipeline::Options& chosen, std::size_t goroutines,
                         const Write& write);

}  // namespace tailcap::views
