// Spans as OTLP in JSON: an ExportTraceServiceRequest, as the OpenTelemetry Collector's file exporter writes it and its
// otlpjsonfile receiver reads it. Ids in hexadecimal, times as strings of nanoseconds since 1970.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/flow/span.h"

namespace tailcap::report {

// One object on one line. before: members of resourceSpans that are there already, as JSON, which come first, as they are.
std::string otlp_json(const std::vector<std::string>& before, const std::vector<flow::SpanResource>& resources, std::string_view version);

}  // namespace tailcap::report
