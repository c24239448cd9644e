// One request with everything around it, for `tailcap show`: with what no row holds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyze/model/study/detail.h"
#include "analyze/model/study/lanes.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/second_reading.h"

namespace tailcap::pipeline {

inline constexpr std::size_t kMaxBelow = 200;

struct Look {
  std::optional<model::Detail> detail;  // unset: there is no request of that number
  model::Study study;                   // of all requests
  model::RequestTable table;            // all requests
  model::ExchangeId first, last;        // numbers that exist; connection 0: none at all
  model::Lanes lanes;                   // of all processes that took part, a tenth of its duration before and after it
  bool damaged = false;
  std::vector<model::ExchangeId> wrong;  // as in Analysis
};

// Two readings of the capture. with_lanes: fills Look::lanes. beside: also reads in the second one; may be null. Throws
// like analyze().
Look look(Replay& replay, model::ExchangeId id, bool with_lanes = false, SecondReading* beside = nullptr);

}  // namespace tailcap::pipeline
