// Requests as spans: OTLP in protobuf or JSON, or Jaeger's JSON. Phases are events.
#pragma once

#include <cstdint>

#include "analyze/views/export/exported.h"

namespace tailcap::views {

enum class SpanFormat : std::uint8_t { otlp, otlp_json, jaeger };

// waits: what each request waited for becomes spans below its own.
Exported export_spans_file(const std::string& file, pipeline::Options chosen, SpanFormat format, bool waits,
                           std::string_view version, const Write& write);

}  // namespace tailcap::views
