// The trace, span and service that every request has, whether the wire named them or not; with where each is from.
#pragma once

#include <string>
#include <string_view>

#include "analyze/flow/request.h"
#include "analyze/flow/wall_clock.h"

namespace tailcap::report {

inline constexpr std::string_view kSynthetic = "synthetic";

struct TraceIdentity {
  std::string trace_id, span_id, service_name;
  // A field's name ("traceparent", …; of a service "host", ":authority"), kSynthetic; of a service also "process", "listener",
  // "address" and, where nothing is known, "unknown".
  std::string_view trace_id_source, span_id_source, service_name_source;
};

// Synthetic ids are made of the request's number and the capture's clock: the same in every output of one capture. Both ends of
// a request have one trace, each its own span.
TraceIdentity trace_identity(const flow::RequestTable& table, const flow::Request& row, const flow::WallClock& clock, flow::TextId local, flow::TextId remote);

}  // namespace tailcap::report
