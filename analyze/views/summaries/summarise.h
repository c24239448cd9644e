// A summary of a capture: what its analysis found, counted by windows of time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/pipeline/pipeline.h"
#include "formats/summary/summary.h"

namespace tailcap::views {

inline constexpr std::int64_t kDefaultWindow = 300'000'000'000;  // ns

// Only requests that ended from `from` on, before `to`; ns since 1970.
struct EndedBetween {
  std::int64_t from = formats::kEarliest, to = formats::kLatest;
  bool all() const { return from == formats::kEarliest && to == formats::kLatest; }
};

struct Summarised {
  formats::Summary summary;
  std::uint64_t left_out = 0;  // requests whose time is not known
  bool damaged = false;        // as in pipeline::Analysis
  std::vector<model::ExchangeId> wrong;
};

// The same of an analysis with its study, without functions.
formats::Summary summary_of(const pipeline::Analysis& analysis, std::int64_t window);

// window: ns. Throws std::runtime_error where the capture cannot be one of many: it has no id or no wall clock, is a
// part of a capture, or records a part of all connections.
Summarised summarise(const std::string& file, const pipeline::Options& chosen, std::int64_t window,
                     const EndedBetween& ended = {});

}  // namespace tailcap::views
