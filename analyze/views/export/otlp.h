// Requests as OTLP, in protobuf or JSON; phases are events.
#pragma once

#include "analyze/views/export/exported.h"

namespace tailcap::views {

Exported export_otlp_file(const std::string& file, pipeline::Options chosen, bool protobuf, std::string_view version,
                          const Write& write);

}  // namespace tailcap::views
