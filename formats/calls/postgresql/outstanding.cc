#include "formats/calls/postgresql/outstanding.h"

namespace tailcap::formats::calls::postgresql {
namespace {

constexpr std::size_t kMaxOutstanding = 4'096;  // more requests than any client pipelines
constexpr std::uint8_t kMaxEarly = 64;          // CPUs are not further apart

bool makes_ready(Ask ask) { return ask == Ask::connect || ask == Ask::query || ask == Ask::sync; }

}  // namespace

bool Outstanding::ask(Ask ask, std::uint16_t replies) {
  counts_early_ = true;
  if (ask != Ask::sync && early_ > 0) {
    early_--;
    return true;
  }
  if (asked_.size() >= kMaxOutstanding) return false;
  asked_.push_back({ask, replies});
  return true;
}

void Outstanding::answered() {
  if (!asked_.empty())
    asked_.pop_front();
  else if (counts_early_ && early_ < kMaxEarly)
    early_++;
}

bool Outstanding::awaits_ready() const {
  // If the oldest is another, the end of its answer was seen before its request.
  return asked_.empty() || ends_with_ready() || asked_.size() == 1 || asked_[1].ask == Ask::sync;
}

bool Outstanding::ends_with_ready() const { return !asked_.empty() && makes_ready(asked_.front().ask); }

std::size_t Outstanding::skip() {
  std::size_t calls = 0;
  for (; !asked_.empty() && !asks(Ask::sync); calls++) asked_.pop_front();
  return calls;
}

void Outstanding::drop_sync() {
  if (asks(Ask::sync)) asked_.pop_front();
}

void Outstanding::drop_syncs() {
  while (asks(Ask::sync)) asked_.pop_front();
}

void Outstanding::drop_syncs_behind_oldest() {
  while (asked_.size() > 1 && asked_[1].ask == Ask::sync) asked_.erase(asked_.begin() + 1);
}

std::optional<Outstanding::First> Outstanding::before_only_ready() const {
  First first;
  bool found = false;
  for (std::size_t i = 0; i < asked_.size(); i++) {
    const Ask ask = asked_[i].ask;
    if (found && makes_ready(ask)) return std::nullopt;
    if (found) continue;
    first.calls += ask != Ask::sync;
    first.all = i + 1;
    found = makes_ready(ask);
  }
  return first;
}

void Outstanding::drop(const First& first) {
  asked_.erase(asked_.begin(), asked_.begin() + static_cast<std::ptrdiff_t>(first.all));
}

}  // namespace tailcap::formats::calls::postgresql
