// What a request waited for, interval by interval, as spans below its own, so that viewers of traces show it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "analyze/model/partition.h"
#include "analyze/model/request.h"
#include "analyze/model/trace/span.h"
#include "analyze/spans/setup_spans.h"

namespace tailcap::spans {

// Shorter waits are no spans, and of further ones of a request the longest are: a viewer is to stay readable.
inline constexpr formats::Duration kLeastWait{100'000};
inline constexpr std::size_t kMostWaits = 64;

// Adds every interval in which the request was not on a CPU. Returns how many were left out because there were more.
std::uint64_t add_waits(const model::RequestTable& table, const model::Request& row, const model::Course& course,
                        const model::SpanContext& parent, const Clocked& clock, std::vector<model::Span>& out);

}  // namespace tailcap::spans
