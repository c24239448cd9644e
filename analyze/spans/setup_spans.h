// The lookup, the connect and the handshake before the first request of a connection, as spans of their own.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/trace/span.h"
#include "analyze/spans/ends.h"

namespace tailcap::spans {

// Times of the capture as ns since 1970, for one request and what belongs to it; and what they are as evidence.
struct Clocked {
  std::int64_t offset = 0;                 // add to a Time
  formats::Time first = formats::kNoTime;  // of the capture
  // 0 beyond what can be said: only crafted captures get there.
  std::int64_t unix_time(formats::Time t) const {
    std::int64_t out = 0;
    return __builtin_add_overflow(formats::nanoseconds(t), offset, &out) ? 0 : out;
  }
  std::string since_start(formats::Time t) const;  // "+1.234567890 s", as `tailcap events` prints it
};

// Below `parent`; inferred, with the evidence.
void add_setup(const model::RequestTable& table, const model::Request& row, const EndpointTexts& ends,
               const model::SpanContext& parent, const Clocked& clock, std::vector<model::Span>& out);

}  // namespace tailcap::spans
