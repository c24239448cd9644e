// Traces as flame graphs: a request with everything that caused it and that it caused.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/flame.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::views {

// The whole trace that the request is part of: its tree from the top, and other trees with its trace id. No spans:
// there is no such request.
model::TraceFlame trace_of(const model::RequestTable& table, model::ExchangeId request);

// A trace that nothing else is known to have caused.
struct FoundTrace {
  formats::Duration length{};
  model::ExchangeId root;
  std::uint32_t levels = 0;
  model::TraceFlame picture;
};

struct FoundTraces {
  std::size_t count = 0;            // within the limits
  std::vector<FoundTrace> longest;  // of those
};

struct TraceLimits {
  std::int64_t min_duration = 100'000'000;  // ns
  std::uint32_t min_depth = 6;              // levels: a client's and a server's request are two
  std::size_t most = 100;                   // that are drawn
};

// The traces of at least that length and depth whose topmost request is wanted, the longest first.
FoundTraces traces_of(const model::RequestTable& table, const TraceLimits& limits,
                      const std::function<bool(model::ExchangeId)>& wanted);

}  // namespace tailcap::views
