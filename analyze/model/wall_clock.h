// Turns the capture's monotonic times into nanoseconds since 1970.
//
// Built from the readings of both clocks in the capture. Their distance changes only when CLOCK_REALTIME is set;
// a change of more than kStep between two readings is a step somewhere between them.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/time.h"

namespace tailcap::model {

class WallClock {
 public:
  static constexpr formats::Duration kStep = std::chrono::milliseconds{1};

  struct Step {
    formats::Time from = formats::kNoTime, to = formats::kNoTime;  // it happened in (from, to]
    std::int64_t by = 0;                                           // ns
  };

  // Readings in order of time; one that goes back in time is ignored.
  void add(formats::Time at, std::int64_t realtime, formats::Duration uncertainty);
  bool known() const { return !readings_.empty(); }
  // By the reading before t (or the first); 0 if there is none. Between two readings with a step between them the
  // result may be wrong by the step.
  std::int64_t realtime(formats::Time t) const;
  const std::vector<Step>& steps() const { return steps_; }
  formats::Duration error() const { return error_; }

 private:
  struct Reading {
    formats::Time from;
    std::int64_t offset;
  };
  std::vector<Reading> readings_;  // one per change of more than kStep
  std::vector<Step> steps_;
  formats::Time last_ = formats::kNoTime;
  formats::Duration error_{};
};

}  // namespace tailcap::model
