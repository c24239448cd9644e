// Counts of exported spans by origin.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tailcap::model {

// The results for one kind of event.
struct SpanTally {
  std::string_view name, events, match, becomes;
  std::uint64_t attached = 0;
  std::uint64_t unmatched = 0;  // matched no span, or several
  std::uint64_t several = 0;    // part of unmatched: matched several
};

struct SpanFacts {
  std::uint64_t requests = 0, setup = 0;  // spans written
  std::uint64_t not_placed = 0;           // requests whose start is not known
  std::uint64_t waits = 0;                // spans written below those of requests, one for each wait
  std::uint64_t waits_left_out = 0;       // as long, of requests that had more of them than a request may have spans
  std::uint64_t without_waits = 0;        // requests whose waits were not kept: they are beyond the first 200,000
  std::vector<std::pair<std::string, std::uint64_t>> trace_sources, span_sources, parents;  // how many of each, by name
  std::uint64_t imported = 0, imported_matched = 0, imported_without_ids = 0;
  std::uint64_t holes = 0, holes_filled = 0;  // parents that imported spans name but that were not imported
  std::vector<SpanTally> tallies;             // of the whole capture, regardless of the selected requests
};

}  // namespace tailcap::model
