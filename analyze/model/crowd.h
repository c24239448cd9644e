// When recorded threads were queued for a CPU, and how busy the recorded processes kept the CPUs meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "formats/time.h"

namespace tailcap::model {

class Crowd {
 public:
  // Shorter waits for a CPU are normal scheduling.
  static constexpr std::int64_t kLeastWait = 1'000'000;
  static constexpr std::int64_t kSlice = 10'000'000;  // resolution of own CPU time, ns

  struct Interval {
    std::int64_t from = 0, to = 0;  // ns of the capture's clock
    bool operator==(const Interval&) const = default;
  };

  // A recorded thread was queued for a CPU in [from, to). Shorter ones than kLeastWait are ignored.
  void queued(std::int64_t from, std::int64_t to);
  // A recorded thread was on a CPU in [from, to). Its work does not depend on how long that is.
  void ran(std::int64_t from, std::int64_t to);
  // Nothing more ran: before own_share().
  void settle();

  // ns of [from, to) in which a recorded thread was queued.
  std::int64_t within(std::int64_t from, std::int64_t to) const;
  // CPU time of recorded threads while one was queued, in these intervals (which may overlap), as a share of the time
  // of all CPUs: 0 to 1. Negative: none was queued in them.
  double own_share(std::span<const Interval> of, unsigned cpus) const;
  // The parts of these intervals (which may overlap) in which one was queued: disjoint, in order of time.
  std::vector<Interval> common(std::span<const Interval> of) const;
  // All of it, in order of time, disjoint.
  std::span<const Interval> intervals() const { return queued_; }

 private:
  struct Slice {
    std::int64_t ns = 0;    // of CPU time, of intervals that do not fill the slice
    std::int64_t more = 0;  // how many more intervals fill the slices from this one on
  };
  struct Slices {  // [from, to), by number
    std::int64_t from = 0, to = 0;
    std::int64_t ns = 0;  // of CPU time in each
  };
  Slice* slice(std::int64_t number);

  std::vector<Interval> queued_;
  std::map<std::int64_t, Slice> ran_;  // by number: the time by kSlice
  std::vector<Slices> settled_;        // of ran_: disjoint, in order of time
};

}  // namespace tailcap::model
