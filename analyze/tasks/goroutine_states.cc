#include "analyze/tasks/goroutine_states.h"

#include <algorithm>

#include "formats/event.h"
#include "formats/recorder_event.h"

namespace tailcap::tasks {

using formats::GoRunState;

void GoroutineStates::change(const formats::Event& event, const formats::GoState& state) {
  if (state.goroutine == 0 || state.state == GoRunState::unknown) return;
  const std::pair key{event.thread.pid, state.goroutine};
  const auto at = open_.find(key);
  const std::int64_t now = formats::nanoseconds(event.time);
  if (at != open_.end()) {
    if (now < at->second.from) return;  // of another CPU, and late
    at->second.to = now;
    if (now > at->second.from) done_.push_back(at->second);
  } else if (open_.size() >= kMax) {
    ++beyond_;
    return;
  }
  open_.insert_or_assign(
      key, GoroutineInterval{event.thread.pid, state.goroutine, now, 0, state.state, std::string(state.reason), false});
}

std::span<const GoroutineInterval> GoroutineStates::push(const formats::Event& event) {
  done_.clear();
  last_ = std::max(last_, event.time);
  if (const auto* state = std::get_if<formats::GoState>(&event.body)) {
    change(event, *state);
  } else if (const auto* gone = std::get_if<formats::GoExit>(&event.body)) {
    const auto at = open_.find({event.thread.pid, gone->goroutine});
    if (at != open_.end()) {
      at->second.to = std::max(formats::nanoseconds(event.time), at->second.from);
      if (at->second.to > at->second.from) done_.push_back(at->second);
      open_.erase(at);
    }
  } else if (const auto* loss = std::get_if<formats::Loss>(&event.body)) {
    // A change may be missing: what goroutines do is not known until their next one.
    constexpr int kUnknown = 255;
    if (loss->kind == static_cast<std::uint8_t>(formats::Kind::go_state) || loss->kind == kUnknown) open_.clear();
  } else if (std::holds_alternative<formats::Damage>(event.body)) {
    open_.clear();
  } else if (std::holds_alternative<formats::CaptureEnd>(event.body)) {
    for (auto& [key, interval] : open_) {
      interval.to = formats::nanoseconds(last_);
      interval.ongoing = true;
      if (interval.to > interval.from) done_.push_back(interval);
    }
    open_.clear();
  }
  return done_;
}

}  // namespace tailcap::tasks
