#include "capture/go/governor.h"

namespace tailcap::capture::go {

Governor::Turn Governor::look(Clock::time_point now, std::uint64_t hits) {
  if (away_since_) {
    if (now - *away_since_ < kAway) return Turn::stay;
    away_since_.reset();
    short_look_ = true;
    last_ = now;
    hits_ = hits;
    return Turn::come_back;
  }
  const auto before = last_;
  const std::uint64_t more = hits - hits_;
  last_ = now;
  hits_ = hits;
  if (!before || now <= *before) return Turn::stay;
  const double rate = static_cast<double>(more) / std::chrono::duration<double>(now - *before).count();
  if (rate <= static_cast<double>(kBusy)) {
    busy_since_.reset();
    short_look_ = short_look_ && rate > static_cast<double>(kBusy) / 2;
    return Turn::stay;
  }
  if (!busy_since_) busy_since_ = *before;
  if (!short_look_ && now - *busy_since_ < kPatience) return Turn::stay;
  busy_since_.reset();
  away_since_ = now;
  return Turn::leave;
}

}  // namespace tailcap::capture::go
