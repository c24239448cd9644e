// Requests as an HTTP Archive, and as lines for a log store.
#pragma once

#include "analyze/views/export/exported.h"

namespace tailcap::views {

Exported export_har(const std::string& file, const pipeline::Options& chosen, std::string_view version,
                    const Write& write);
Exported export_loki(const std::string& file, const pipeline::Options& chosen, const Write& write);

}  // namespace tailcap::views
