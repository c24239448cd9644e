// The offset and drift of another machine's clock against ours, from messages between the two.
//
// A message cannot arrive before it is sent. One of ours that reached them bounds the offset of their clock from below,
// one of theirs that reached us from above, each at its moment. The offset is a straight line over time (offset and
// drift): all lines between the bounds are possible, and their distance from the estimate bounds its error. This
// assumes nothing about how long messages take or whether both ways take equally long.
//
// The send time of a message is known less well than its arrival: not before some moment, and probably when the send
// was done. The bounds use the former. The estimate, which is in the middle and within the bounds, uses the latter.
#pragma once

#include <cstdint>
#include <vector>

#include "formats/time.h"

namespace tailcap::merge {

using formats::Time;

// Clocks that NTP disciplines run at most 500 ppm wrong each.
inline constexpr long double kMaxDrift = 1e-3L;

struct ClockEstimate {
  std::uint64_t forth = 0, back = 0;  // messages from us to them, and from them to us
  bool determined = false;            // there are messages in both directions
  // ours = theirs + offset + drift * (theirs - at)
  Time first = formats::kNoTime, last = formats::kNoTime;  // the recording on their clock
  Time at = formats::kNoTime;                              // the middle of it
  std::int64_t offset = 0;                                 // ns
  long double drift = 0;                                   // ns per ns
  std::int64_t lower = 0,
               upper = 0;  // the offset at `at` is in [lower, upper]; where only one direction is there, one of them
  long double drift_lower = 0, drift_upper = 0;
  bool drift_bounded = false;  // false: anything up to kMaxDrift fits on one side at least
  std::int64_t error = 0;      // ns: nowhere in the recording is ours_of() further off. Outside see error_at()
  std::int64_t contradiction =
      0;  // ns; not 0: no straight line fits, by this much at least. Then nothing bounds the error

  std::int64_t ours_of(Time theirs) const;  // ns; may be before their boot
  std::int64_t error_at(Time theirs) const;
};

// The estimate for a clock with estimate `inner` against a second clock, which has estimate `outer` against a third:
// the first against the third.
ClockEstimate chained(const ClockEstimate& outer, const ClockEstimate& inner);

class ClockFit {
 public:
  // The recording on their clock.
  ClockFit(Time first, Time last);
  // A message of ours was not sent before `ours`, probably at `likely`, and reached them at `theirs`; and the other way
  // round.
  void before(Time ours, Time likely, Time theirs);
  void after(Time ours, Time theirs, Time likely);
  ClockEstimate estimate() const;

 private:
  struct Bound {
    std::int64_t at = 0;      // theirs, since first_
    std::int64_t offset = 0;  // ours - theirs
    bool there = false;
  };
  Bound& slot(std::vector<Bound>& bounds, Time theirs) const;
  Time first_, last_;
  using Bounds = std::vector<Bound>;
  void at_least(Bounds& bounds, Time ours, Time theirs) const;
  void at_most(Bounds& bounds, Time ours, Time theirs) const;
  // The tightest bound of each time interval: the others would hardly change the line.
  Bounds lower_, upper_, likely_lower_, likely_upper_;
  std::uint64_t forth_ = 0, back_ = 0;
};

}  // namespace tailcap::merge
