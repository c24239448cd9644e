// Which trace and span each request is, and below which span it stands.
//
// What the wire named stays. A header names its sender's span: of the calling end that is the request itself, of the
// serving end its parent. Where a header is passed on unchanged (a proxy, a retry) only the first request has the id,
// the others have one of their own. Requests without a context belong to the trace of their other end, of the request
// that made them, or, where they made calls that all name one trace and it is certain that they made them, of those.
// What is left has made-up ids.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "analyze/flow/request.h"
#include "analyze/flow/span_context.h"

namespace tailcap::spans {

// A span of somebody else's, see imported.h.
struct ForeignSpan {
  flow::SpanContext context;
  std::uint64_t parent = 0;
  bool server = false, client = false;
  std::uint32_t matched = 0;  // requests that are this span
};

struct ContextHash {
  std::size_t operator()(const flow::SpanContext& c) const {
    return c.trace_high * 0x9e3779b97f4a7c15u ^ c.trace_low * 0xc2b2ae3d27d4eb4fu ^ c.span;
  }
};

enum class ParentHow : std::uint8_t {
  none,       // it is a root, or nothing is known
  wire,       // named by a header
  other_end,  // the calling end of the same request
  cause,      // the request that made it: flow::Cause says how that is known
};

struct Identity {
  flow::SpanContext context;  // of the request; where it is a foreign span, that one's
  std::uint64_t parent = 0;
  ParentHow parent_how = ParentHow::none;
  bool parent_certain = true;
  std::string_view trace_source,
      span_source;                   // "traceparent", …, "other end", "caller", "calls", "imported", "synthetic"
  std::uint32_t link = kNone;        // row of the request that made it, where that is in another trace
  std::uint32_t parent_row = kNone;  // where the parent is a request
  std::int32_t foreign = -1;         // which of the foreign spans it is
  static constexpr std::uint32_t kNone = UINT32_MAX;
};

struct Identities {
  std::vector<Identity> rows;  // by row of the table
  // Number of the row with this id, or Identity::kNone.
  std::uint32_t row_of(flow::ExchangeId id) const;
  std::vector<std::pair<flow::ExchangeId, std::uint32_t>> by_id;  // ascending
};

// Counts in foreign what matched. The table holds all requests of the capture, sorted by start.
Identities identities_of(const flow::RequestTable& table, std::vector<ForeignSpan>& foreign);

}  // namespace tailcap::spans
