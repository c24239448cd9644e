// One request with everything around it, for `tailcap show`: a second look at the capture, for what no row holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyze/model/study/detail.h"
#include "analyze/model/study/lanes.h"
#include "analyze/pipeline/pipeline.h"

namespace tailcap::pipeline {

inline constexpr std::size_t kMaxWaits = 10'000;  // kept of one request
inline constexpr std::size_t kMaxConnectionEvents = 1'000;
inline constexpr std::size_t kMaxBelow = 200;

struct Look {
  std::optional<model::Detail> detail;  // unset: there is no request of that number
  model::Study study;                   // its quality, beginning and end only
  model::RequestTable table;            // all requests
  model::ExchangeId first, last;        // numbers that exist; connection 0: none at all
  model::Lanes lanes;                   // of all processes that took part, a tenth of its duration before and after it
  bool damaged = false;
  std::vector<model::ExchangeId> wrong;  // as in Analysis
};

// Three readings of the capture. with_lanes: fills Look::lanes. Throws like analyze().
Look look(const std::string& path, model::ExchangeId id, bool with_lanes = false, unsigned threads = 0);

}  // namespace tailcap::pipeline
