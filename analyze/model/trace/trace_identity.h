// The trace, span and service that every request has, whether the wire named them or not; with where each is from.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "analyze/model/request.h"

namespace tailcap::model {

inline constexpr std::string_view kSynthetic = "synthetic";

// The service at this end of a request, the same in every output: its process, else what the request names. The names
// of services in logs, spans and metrics join because this is their only source. Views of the table and of the texts.
struct NamedService {
  std::string_view name = "unknown", source = "unknown";
};
// local, remote: of its connection; empty: not known.
NamedService service_of(const RequestTable& table, const Request& row, std::string_view local, std::string_view remote);

struct TraceIdentity {
  std::string trace_id, span_id, service_name;
  // A field's name ("traceparent", …; of a service "host", ":authority"), kSynthetic; of a service also "process",
  // "listener", "address" and, where nothing is known, "unknown".
  std::string_view trace_id_source, span_id_source, service_name_source;
};

// Synthetic ids of a call on a connection that was recorded whole are made of the machine's boot, the socket and the
// request's number on it: the same in every capture, and those that tailcap-inject gives (ground/http/request_ids.h).
// All others are made of the capture's own id and the request's: the same in every output of one capture. Both ends of
// a request have one trace, each its own span.
TraceIdentity trace_identity(const RequestTable& table, const Request& row, TextId local, TextId remote);

// A span id for something of a request that has none on the wire; `what` distinguishes several: 3 is the request
// itself. Never 0.
std::uint64_t synthetic_span(const RequestTable& table, ExchangeId id, std::uint64_t what);
// The halves of the trace id of a request without one.
std::pair<std::uint64_t, std::uint64_t> synthetic_trace(const RequestTable& table, ExchangeId id);

}  // namespace tailcap::model
