#include "analyze/protocols/http2/windows.h"

#include <algorithm>

#include "analyze/protocols/http2/settings.h"

namespace tailcap::protocols::http2 {

using formats::known;

std::optional<model::WindowWait> FlowWindow::spend(std::uint32_t n, model::Time at) {
  if (!credit_ || n == 0) return std::nullopt;
  std::optional<model::WindowWait> wait;
  if (known(room_at_) && known(empty_since_) && room_at_ > empty_since_)
    wait = model::WindowWait{empty_since_, room_at_, at, false};
  empty_since_ = room_at_ = model::kNoTime;
  *credit_ -= n;
  // Below zero: the events of two directions passed each other, and the update is still to come. That is no wait.
  if (*credit_ == 0) empty_since_ = at;
  return wait;
}

void FlowWindow::grant(std::int64_t n, model::Time at) {
  if (!credit_) return;
  const bool was_empty = *credit_ <= 0;
  *credit_ += n;
  if (*credit_ > kMaxWindow) {  // an error of theirs, or of what we took for theirs
    forget();
    return;
  }
  if (*credit_ <= 0) {
    if (!was_empty) empty_since_ = at;
    room_at_ = model::kNoTime;
  } else if (was_empty) {
    room_at_ = at;
  }
}

void add(model::WindowWaits& waits, const model::WindowWait& wait) {
  if (waits.listed.size() < model::WindowWaits::kMaxListed) {
    waits.listed.push_back(wait);
  } else {
    ++waits.more;
  }
  if (!model::held_up(wait)) return;
  ++waits.count;
  const model::Time from = known(waits.counted_until) ? std::max(wait.from, waits.counted_until) : wait.from;
  if (wait.to <= from) return;
  waits.total += wait.to - from;
  if (wait.connection) waits.of_connection += wait.to - from;
  waits.counted_until = wait.to;
}

}  // namespace tailcap::protocols::http2
