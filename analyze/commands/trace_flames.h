// Traces as flame graphs: a request with everything that caused it and that it caused.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/flow/exchange.h"
#include "analyze/flow/flame.h"
#include "analyze/flow/request.h"

namespace tailcap::commands {

// The whole trace that the request is part of: its tree from the top, and other trees with its trace id. No spans:
// there is no such request.
flow::TraceFlame trace_of(const flow::RequestTable& table, flow::ExchangeId request);

struct TraceChoice {
  std::string request;                // of this one; empty: of all that are
  std::int64_t longer = 100'000'000;  // than so many ns, and
  std::uint32_t deeper = 5;           // than so many levels,
  std::size_t most = 100;             // the longest of them
};

// Draws one to `output`, or all into that folder, one file each, with a line about each on standard output. Returns the
// exit code.
int draw_traces(const std::string& file, const TraceChoice& choice, const std::string& output, bool as_json);

}  // namespace tailcap::commands
