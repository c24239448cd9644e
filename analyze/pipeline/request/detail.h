// One request with everything around it, for `tailcap show`: with what no row holds.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "analyze/model/study/detail.h"
#include "analyze/model/study/lanes.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/replay.h"
#include "analyze/pipeline/second_reading.h"
#include "analyze/pipeline/window/numbers.h"

namespace tailcap::pipeline {

inline constexpr std::size_t kMaxBelow = 200;

// The analysis is that of all requests.
struct Look : Analysis {
  std::optional<model::Detail> detail;  // unset: there is no request of that number
  model::ExchangeId first, last;        // numbers that exist; connection 0: none at all
  model::Lanes lanes;                   // of all processes that took part, a tenth of its duration before and after it
  bool mistaken = false;                // the window does not have the request: all of it has to be read
  // As of the Past.
  model::PartlyRead partly;
  exchanges::Exchanges::Numbers numbers;
};

struct LookOptions {
  bool lanes = false;                    // fills Look::lanes
  std::vector<SecondReading*> beside{};  // also read in the second reading
  // As in Options: which courses are known beside those of the request and of the calls below it.
  std::size_t exemplars = 0, courses_up_to = 0;
  // Only the part of a long capture is read that decides what is said of the request: the beginning up to its end, or
  // a window around it. The study and the table are then those of this part.
  bool part = false, window = true;
  std::uint64_t first_events = 200'000, least_left = kLittle;  // as in Options
  PastOptions past{.least_before = kLittle};                   // of a window; but for threads, least_events and passed
};

// Two readings of the capture. Throws like analyze().
Look look(Replay& replay, model::ExchangeId id, const LookOptions& how = {});

// Where what is said of the request names others by provisional numbers: sets how to look again so that those are
// known. False: they are, and what looks like one is none.
bool find_numbers(const Look& look, const std::set<model::ExchangeId>& provisional, LookOptions& how);

}  // namespace tailcap::pipeline
