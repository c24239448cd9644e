// The trace that a request belongs to, from its header fields, in any of the common forms.
//
// In this order: W3C's traceparent; gRPC's grpc-trace-bin (version 0, field 0 and 16 bytes of trace id, field 1 and 8
// bytes of span id, field 2 and a byte of options: in base64, or as they are behind a zero byte); the metadata keys
// trace-id, span-id and traceflags, in hexadecimal; B3 in one field and in several; Jaeger's uber-trace-id. Then
// SkyWalking's sw8 and AWS's x-amzn-trace-id, which number their traces by themselves beside the others: they are used
// where there is no other, and contradict none. The parsers are in trace_formats.h.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "analyze/model/wire/message.h"

namespace tailcap::model {

enum class TraceFormat : std::uint8_t {
  none = 0,
  traceparent = 1,
  grpc_trace_bin = 2,
  trace_id = 3,  // trace-id, span-id, traceflags
  b3 = 4,
  x_b3 = 5,  // X-B3-TraceId, …
  uber_trace_id = 6,
  sw8 = 7,
  x_amzn_trace_id = 8,
  conflicting = 9,  // fields name different traces: none of them is believed
};
std::string_view name_of(TraceFormat format);  // "traceparent", …, "conflicting"; empty for none

struct TraceContext {
  std::string traceparent;  // "00-<trace>-<span>-<flags>": as sent, or an equal one; empty: none that can be read, or
                            // no such form
  std::string trace_id;     // 32 hexadecimal digits; sw8: any text
  std::string span_id;      // 16 hexadecimal digits; sw8: segment and span, like "segment-3"; empty: not said
  std::string parent_span;  // B3, Jaeger: of the span that the sender was in; empty: not said
  TraceFormat format = TraceFormat::none;
  bool present = false;  // there is a field for it, readable or not
  bool invalid = false;  // one of its fields breaks the rules and was not used

  std::string text() const;  // as a row keeps it: the traceparent, else "trace/span"; empty: none
};

// The first valid one, in the order above; 64-bit trace ids are padded with zeros, and equal the lower half of a long
// one. A masked value is as good as none.
TraceContext trace_context(const Headers& headers);

// The fields trace-id, span-id and traceflags under the names that somebody's programs give them, in lower case. For
// the whole process: to be said before anything is analysed.
struct TraceKeys {
  std::string trace = "trace-id", span = "span-id", flags = "traceflags";
};
void name_trace_keys(TraceKeys keys);

// The parts of a TraceContext::text(). Empty: not there.
std::string_view trace_id_in(std::string_view text);
std::string_view span_id_in(std::string_view text);
// The eight flags of a traceparent, bit 0: sampled; -1: not there.
int trace_flags_in(std::string_view text);

// A W3C traceparent: "00-<32 hex>-<16 hex>-<2 hex>", lower case, ids not all zero. Later versions may be longer.
bool valid_traceparent(std::string_view text);
inline constexpr std::size_t kTraceparent = 55;  // characters of it that every version has

// An equal traceparent; empty: not valid.
std::string traceparent_of_binary(std::string_view value);

}  // namespace tailcap::model
