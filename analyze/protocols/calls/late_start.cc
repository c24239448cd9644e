#include "analyze/protocols/calls/late_start.h"

namespace tailcap::protocols::calls {

namespace {

constexpr std::uint64_t kShort = 12;   // bytes of a run that may be a header alone
constexpr std::size_t kMostHeld = 64;  // runs: a request with a long value comes in several

}  // namespace

bool CallsLateStart::push(const model::ByteRun& run) {
  if (run.gap > 0 || held_.size() >= kMostHeld) {
    finder_.forget();
    held_.clear();
  }
  if (run.length == 0) return false;
  const auto direction = static_cast<unsigned>(run.direction == model::Direction::in);
  const std::uint32_t found = finder_.found();
  if (finder_.moved(direction, -1, {run.length, run.head, run.tail})) return true;
  if (finder_.found() != found) {
    held_.clear();
    if (finder_.began_before() && before_) held_.push_back(std::move(*before_));
  } else if (!finder_.asked()) {
    held_.clear();
  }
  before_.reset();
  if (finder_.asked())
    held_.emplace_back(run).run.gap = 0;
  else if (run.length <= kShort)
    before_.emplace(run);
  return false;
}

formats::calls::Stream CallsLateStart::stream() const {
  return {finder_.kind(), formats::calls::protocol_of(finder_.kind()).machine(false)};
}

}  // namespace tailcap::protocols::calls
