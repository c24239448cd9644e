#include "analyze/model/wall_clock.h"

#include <algorithm>

namespace tailcap::model {

using formats::Duration;
using formats::nanoseconds;
using formats::Time;

namespace {
// A crafted capture can step its clock at every reading; more steps than this say nothing more.
constexpr std::size_t kMaxReadings = 10'000;
// No clock reads beyond the year 2116, nor has a machine been up for 73 years; clamped there, no difference overflows.
constexpr std::int64_t kMaxRealtime = std::int64_t{1} << 62;
constexpr std::int64_t kMaxMonotonic = std::int64_t{1} << 61;
}  // namespace

void WallClock::add(Time at, std::int64_t realtime, Duration uncertainty) {
  if (!readings_.empty() && at < last_) return;
  const std::int64_t offset =
      std::clamp<std::int64_t>(realtime, 0, kMaxRealtime) - std::clamp<std::int64_t>(nanoseconds(at), 0, kMaxMonotonic);
  error_ = std::max(error_, uncertainty);
  if (readings_.empty()) {
    readings_.push_back({at, offset});
  } else {
    const std::int64_t by = offset - readings_.back().offset;
    if ((by > kStep.count() || by < -kStep.count()) && readings_.size() < kMaxReadings) {
      readings_.push_back({at, offset});
      steps_.push_back({last_, at, by});
    }
  }
  last_ = at;
}

std::int64_t WallClock::realtime(Time t) const {
  if (readings_.empty()) return 0;
  auto after =
      std::upper_bound(readings_.begin(), readings_.end(), t, [](Time x, const Reading& r) { return x < r.from; });
  if (after != readings_.begin()) --after;
  std::int64_t sum = 0;
  return __builtin_add_overflow(nanoseconds(t), after->offset, &sum) ? 0 : sum;
}

}  // namespace tailcap::model
