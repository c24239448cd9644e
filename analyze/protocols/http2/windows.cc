#include "analyze/protocols/http2/windows.h"

#include "analyze/protocols/http2/settings.h"

namespace tailcap::protocols::http2 {

using formats::known;

std::optional<flow::WindowWait> Window::spend(std::uint32_t n, flow::Time at) {
  if (!credit_ || n == 0) return std::nullopt;
  std::optional<flow::WindowWait> wait;
  if (known(room_at_) && known(empty_since_) && room_at_ > empty_since_) wait = flow::WindowWait{empty_since_, room_at_, at, false};
  empty_since_ = room_at_ = flow::kNoTime;
  *credit_ -= n;
  // Below zero: the events of two directions passed each other, and the update is still to come. That is no wait.
  if (*credit_ == 0) empty_since_ = at;
  return wait;
}

void Window::grant(std::int64_t n, flow::Time at) {
  if (!credit_) return;
  const bool was_empty = *credit_ <= 0;
  *credit_ += n;
  if (*credit_ > kMaxWindow) {  // an error of theirs, or of what we took for theirs
    forget();
    return;
  }
  if (*credit_ <= 0) {
    if (!was_empty) empty_since_ = at;
    room_at_ = flow::kNoTime;
  } else if (was_empty) {
    room_at_ = at;
  }
}

}  // namespace tailcap::protocols::http2
