// When one thread was off the CPU: its waits in order of time, never overlapping, with sums over any window.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "analyze/flow/request.h"

namespace tailcap::timeline {

// ThreadTime, and one more: waits of this stretch were lost. Counts as ThreadTime::unknown in the end.
inline constexpr std::size_t kLostWaits = flow::kThreadTimes;
using Sums = std::array<std::int64_t, flow::kThreadTimes + 1>;

// Off the CPU in [left, back): waiting for `what` in [left, runnable), for a CPU in [runnable, back).
struct Wait {
  std::int64_t left = 0, runnable = 0, back = 0;
  std::uint8_t what = 0;  // ThreadTime or kLostWaits
};

void add_overlap(const Wait& wait, std::int64_t from, std::int64_t to, Sums& sums);

class ThreadWaits {
 public:
  // Trims what overlaps earlier waits. Returns the wait as it was kept; left == back: nothing was.
  Wait add(Wait wait);
  // Adds what lies in [from, to). Logarithmic in the number of waits.
  void add_sums(std::int64_t from, std::int64_t to, Sums& sums) const;
  template <class Visit>
  void visit(std::int64_t from, std::int64_t to, Visit&& visit) const;
  // Forgets waits that ended at or before t, in whole chunks. Returns how many.
  std::size_t forget_before(std::int64_t t);
  // Forgets the older half. Returns how many.
  std::size_t forget_half();

  std::size_t size() const { return waits_.size() - first_; }
  bool empty() const { return size() == 0; }
  std::int64_t last_back() const { return last_back_; }
  // Waits that ended before this are forgotten: sums over earlier windows are not known.
  std::int64_t forgotten_until() const { return forgotten_until_; }
  void clear();

 private:
  // Sums of everything before waits_[64 * i], for every whole chunk; so that a long window costs no more than a short.
  static constexpr std::size_t kChunk = 64;
  std::size_t first_back_after(std::int64_t t) const;
  Sums sums_before(std::size_t i) const;
  void extend_chunks();
  void drop(std::size_t n);

  std::vector<Wait> waits_;  // ascending; the first first_ are forgotten
  std::vector<Sums> chunks_;
  std::size_t first_ = 0;
  std::int64_t last_back_ = 0;
  std::int64_t forgotten_until_ = 0;
};

template <class Visit>
void ThreadWaits::visit(std::int64_t from, std::int64_t to, Visit&& visit) const {
  for (std::size_t i = first_back_after(from); i < waits_.size() && waits_[i].left < to; ++i) visit(waits_[i]);
}

}  // namespace tailcap::timeline
