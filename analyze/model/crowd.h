// When recorded threads were queued for a CPU, and how busy the recorded processes kept the CPUs meanwhile.
#pragma once

#include <cstdint>
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
  // A recorded thread was on a CPU in [from, to).
  void ran(std::int64_t from, std::int64_t to);

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
  std::vector<Interval> queued_;
  std::int64_t origin_ = 0;         // time of the first slice
  std::vector<std::uint64_t> ran_;  // ns of CPU time per slice
};

}  // namespace tailcap::model
