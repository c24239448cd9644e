// A capture as a Perfetto trace: threads, goroutines, requests with what they waited for, and what caused what.
#pragma once

#include "analyze/views/export/exported.h"

namespace tailcap::views {

Exported export_perfetto(const std::string& file, const pipeline::Options& chosen, const Write& write);

}  // namespace tailcap::views
