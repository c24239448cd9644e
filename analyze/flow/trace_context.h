// Which trace a request belongs to, by its header fields, in whichever of the common forms.
//
// W3C's traceparent; gRPC's grpc-trace-bin (version 0, field 0 and 16 bytes of trace id, field 1 and 8 bytes of span id,
// field 2 and a byte of options: in base64, or as they are behind a zero byte); the metadata keys trace-id, span-id and
// traceflags, in hexadecimal.
#pragma once

#include <string>
#include <string_view>

#include "analyze/flow/message.h"

namespace tailcap::flow {

struct TraceContext {
  std::string traceparent;  // "00-<trace>-<span>-<flags>": as sent, or an equal one; empty: none that can be read
  bool present = false;     // there is a field for it, readable or not
  bool invalid = false;     // one of its fields breaks the rules and was not used
};

// The first valid one, in the order above. A masked value is as good as none.
TraceContext trace_context(const Headers& headers);

// A W3C traceparent: "00-<32 hex>-<16 hex>-<2 hex>", lower case, ids not all zero. Later versions may be longer.
bool valid_traceparent(std::string_view text);
inline constexpr std::size_t kTraceparent = 55;  // characters of it that every version has

// An equal traceparent; empty: not valid.
std::string traceparent_of_binary(std::string_view value);

}  // namespace tailcap::flow
