// The trace, span and parent span of each request.
//
// Identifiers on the wire are kept. A header names its sender's span: at the calling end that is the request itself, at
// the serving end its parent. If a header is passed on unchanged (a proxy, a retry), only the first request has the id;
// the others get one of their own. A request without a context belongs to the trace of its other end, or of its parent.
// Failing those, it belongs to the trace of its calls, if they all name one trace and are certain to be its calls. All
// other requests get made-up ids.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/trace/span_context.h"

namespace tailcap::spans {

// A span from another tracer, see imported.h.
struct ForeignSpan {
  model::SpanContext context;
  std::uint64_t parent = 0;
  bool server = false, client = false;
  std::uint32_t matched = 0;  // requests that are this span
};

struct ContextHash {
  std::size_t operator()(const model::SpanContext& c) const {
    return c.trace_high * 0x9e3779b97f4a7c15u ^ c.trace_low * 0xc2b2ae3d27d4eb4fu ^ c.span;
  }
};

enum class ParentHow : std::uint8_t {
  none,       // it is a root, or nothing is known
  wire,       // named by a header
  other_end,  // the calling end of the same request
  cause,      // the parent: model::Cause says how it is known
};

// Contexts are looked up by trace and span; flags are not part of the identity.
inline model::SpanContext key_of(model::SpanContext c) {
  c.flags = 0;
  return c;
}

struct Identity {
  model::SpanContext context;  // of the request; if it is a foreign span, that span's
  std::uint64_t parent = 0;
  ParentHow parent_how = ParentHow::none;
  bool parent_certain = true;
  std::string_view trace_source,
      span_source;                   // "traceparent", …, "other end", "caller", "calls", "imported", "synthetic"
  std::uint32_t link = kNone;        // row of the parent request, if it is in another trace
  std::uint32_t parent_row = kNone;  // where the parent is a request
  std::int32_t foreign = -1;         // which of the foreign spans it is
  static constexpr std::uint32_t kNone = UINT32_MAX;
};

struct Identities {
  std::vector<Identity> rows;  // by row of the table
  // Number of the row with this id, or Identity::kNone.
  std::uint32_t row_of(model::ExchangeId id) const;
  std::vector<std::pair<model::ExchangeId, std::uint32_t>> by_id;  // ascending
};

// Counts the matches in `foreign`. The table holds all requests of the capture, sorted by start.
Identities identities_of(const model::RequestTable& table, std::vector<ForeignSpan>& foreign);

}  // namespace tailcap::spans
