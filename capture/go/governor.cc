#include "capture/go/governor.h"

#include <algorithm>

namespace tailcap::capture::go {

Governor::Turn Governor::look(Clock::time_point now, std::uint64_t hits, std::uint64_t busy) {
  if (away_since_) {
    if (now - *away_since_ < away_) return Turn::stay;
    away_since_.reset();
    away_ = std::min(2 * away_, kLongestAway);
    last_ = quiet_ = now;
    hits_ = hits;
    spare_ = static_cast<double>(busy) / 20;  // what may come in an interval
    return Turn::come_back;
  }
  const auto before = last_;
  const std::uint64_t more = hits - hits_;
  last_ = now;
  hits_ = hits;
  if (!before) quiet_ = now;
  if (!before || now <= *before) return Turn::stay;
  const double allowed = static_cast<double>(busy) * std::chrono::duration<double>(now - *before).count();
  spare_ = std::min(spare_ + allowed - static_cast<double>(more), static_cast<double>(kBurst));
  if (static_cast<double>(more) <= allowed) quiet_ = now;
  if (spare_ >= kBurst) away_ = kAway;  // it has become quiet
  if (spare_ >= kBurst - kLasting || (spare_ >= 0 && now - quiet_ < kSustained)) return Turn::stay;
  away_since_ = now;
  return Turn::leave;
}

}  // namespace tailcap::capture::go
