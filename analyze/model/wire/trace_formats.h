// One parser for each form of trace context that is not W3C's, and the lists that travel with a context. Pure: a value
// in, ids out.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tailcap::model {

struct TraceIds {
  std::string trace;   // 32 hexadecimal digits in lower case; sw8: any text
  std::string span;    // 16; sw8: "segment-span"; empty: not said
  std::string parent;  // 16; empty: not said
  std::string flags = "00";
};

// "<trace>-<span>[-<sampled>[-<parent>]]". Values that only say whether to sample are no context: ask is_b3_decision.
std::optional<TraceIds> ids_of_b3(std::string_view value);
bool is_b3_decision(std::string_view value);  // "0", "1", "d", …
// X-B3-TraceId, X-B3-SpanId, X-B3-ParentSpanId (empty: absent), X-B3-Sampled (empty: absent).
std::optional<TraceIds> ids_of_x_b3(std::string_view trace, std::string_view span, std::string_view parent,
                                    std::string_view sampled);
// "<trace>:<span>:<parent>:<flags>", leading zeros may be left out, ':' may be written %3A.
std::optional<TraceIds> ids_of_uber(std::string_view value);
// "<sample>-<trace>-<segment>-<span>-…": eight parts, texts in base64.
std::optional<TraceIds> ids_of_sw8(std::string_view value);
// "Root=1-<8 hex>-<24 hex>[;Parent=<16 hex>][;Sampled=0|1]…"
std::optional<TraceIds> ids_of_amzn(std::string_view value);

// tracestate and baggage: keys with values, in order; a member that is none is left out. At most kMaxMembers.
inline constexpr std::size_t kMaxMembers = 64;
using Members = std::vector<std::pair<std::string_view, std::string_view>>;  // views into the value
Members members_of_tracestate(std::string_view value);
Members members_of_baggage(std::string_view value);  // without properties, values as sent (percent-encoded)

// Padded or not. False: it is no base64.
bool decode_base64(std::string_view text, std::string& out);

}  // namespace tailcap::model
