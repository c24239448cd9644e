#include "analyze/streams/arrivals.h"

#include <algorithm>

namespace tailcap::streams {

using model::kNoTime;

void ArrivalTracker::mark(std::int64_t end, model::Time at) {
  to_ = end;
  if (head_ == marks_.size()) {
    marks_.clear();
    head_ = 0;
  } else if (head_ > 64 && head_ * 2 > marks_.size()) {
    marks_.erase(marks_.begin(), marks_.begin() + static_cast<std::ptrdiff_t>(head_));
    head_ = 0;
  }
  if (head_ < marks_.size()) {
    model::ArrivalMark& last = marks_.back();
    // Later bytes cannot have become readable before this one.
    if (formats::known(at) && formats::known(last.time)) at = std::max(at, last.time);
    if (at == last.time || marks_.size() - head_ >= kMaxArrivalMarks) {
      if (at != last.time) last.time = kNoTime;
      last.end = static_cast<std::uint64_t>(end);
      return;
    }
  }
  marks_.push_back({static_cast<std::uint64_t>(end), at});
}

void ArrivalTracker::absorb() {
  std::size_t used = 0;
  for (; used < early_.size() && early_[used].begin <= to_; ++used)
    if (early_[used].end > to_) mark(early_[used].end, early_[used].time);
  early_.erase(early_.begin(), early_.begin() + static_cast<std::ptrdiff_t>(used));
}

void ArrivalTracker::add(std::int64_t begin, std::int64_t end, model::Time at) {
  any_ = true;
  if (begin < 0 || end <= begin) return;
  if (!started_) start(begin);
  if (end <= to_) return;  // a duplicate: the kernel had it already
  if (begin > to_) {
    if (early_.size() >= kMaxEarlySegments) return;
    const auto behind = std::upper_bound(early_.begin(), early_.end(), begin,
                                         [](std::int64_t b, const Segment& s) { return b < s.begin; });
    early_.insert(behind, {begin, end, at});
    return;
  }
  mark(end, at);
  if (early_.empty()) return;
  // The missing bytes are there: bytes behind them become readable now, however early they came.
  for (Segment& s : early_) s.time = std::max(s.time, at);
  absorb();
}

void ArrivalTracker::shift(std::int64_t by) {
  from_ += by;
  to_ += by;
  for (std::size_t i = head_; i < marks_.size(); ++i) marks_[i].end += static_cast<std::uint64_t>(by);
  for (Segment& s : early_) {
    s.begin += by;
    s.end += by;
  }
  if (from_ < 0) {
    *this = {};
    any_ = true;
  }
}

ArrivalTracker::Taken ArrivalTracker::take(std::int64_t begin, std::int64_t end, model::Time done,
                                           std::vector<model::ArrivalMark>& marks) {
  Taken taken;
  if (!started_) start(begin);
  if (begin < from_) {
    marks.push_back({static_cast<std::uint64_t>(std::min(from_, end)), kNoTime});
    taken.missing = true;
  }
  while (to_ < end) {
    // It was read, so it had arrived; the time was not recorded.
    taken.missing = true;
    mark(early_.empty() ? end : std::min(end, early_.front().begin), kNoTime);
    absorb();
  }
  while (head_ < marks_.size()) {
    model::ArrivalMark m = marks_[head_];
    const auto mark_end = static_cast<std::int64_t>(m.end);
    if (mark_end > begin && from_ < end) {
      if (formats::known(m.time) && formats::known(done) && m.time > done) {
        m.time = done;
        taken.negative = true;
      }
      marks.push_back(m);
    }
    if (mark_end > end) break;
    ++head_;
    if (mark_end == end) break;
  }
  from_ = std::max(from_, end);
  return taken;
}

}  // namespace tailcap::streams
