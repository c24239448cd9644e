// Spans as OTLP in protobuf: an ExportTraceServiceRequest (opentelemetry-proto, collector/trace/v1).
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "analyze/model/trace/span.h"

namespace tailcap::exports {

// A part of the request: parts behind each other are one message, in which a resource may come again.
std::string otlp(std::span<const model::SpanResource> resources, std::string_view version);

}  // namespace tailcap::exports
