#include "analyze/model/crowd.h"

#include <algorithm>
#include <iterator>

namespace tailcap::model {
namespace {

constexpr std::size_t kMaxSlices = 8u << 20;  // a day's: those in which an interval begins or ends
constexpr std::size_t kMaxIntervals = 4u << 20;
constexpr std::size_t kMaxLate = 4096;  // intervals that a late one may have to be sorted behind

}  // namespace

void Crowd::queued(std::int64_t from, std::int64_t to) {
  if (to - from < kLeastWait) return;
  // They come in order of their ends, or nearly.
  std::size_t at = queued_.size();
  while (at > 0 && queued_.size() - at < kMaxLate && queued_[at - 1].from > from) --at;
  if (at > 0 && queued_[at - 1].to >= from) {
    --at;
    queued_[at].to = std::max(queued_[at].to, to);
  } else {
    if (queued_.size() >= kMaxIntervals) return;
    queued_.insert(queued_.begin() + static_cast<std::ptrdiff_t>(at), {from, to});
  }
  std::size_t next = at + 1;
  while (next < queued_.size() && queued_[next].from <= queued_[at].to) {
    queued_[at].to = std::max(queued_[at].to, queued_[next].to);
    ++next;
  }
  queued_.erase(queued_.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                queued_.begin() + static_cast<std::ptrdiff_t>(next));
}

Crowd::Slice* Crowd::slice(std::int64_t number) {
  if (!ran_.empty() && ran_.rbegin()->first == number) return &ran_.rbegin()->second;
  if (ran_.size() < kMaxSlices) return &ran_[number];
  const auto at = ran_.find(number);
  return at == ran_.end() ? nullptr : &at->second;
}

void Crowd::ran(std::int64_t from, std::int64_t to) {
  if (to <= from || from <= 0) return;
  const std::int64_t first = from / kSlice, last = to / kSlice;
  Slice *const begin = slice(first), *const end = slice(last);
  if (!begin || !end) return;
  if (first == last) {
    begin->ns += to - from;
    return;
  }
  Slice* const behind = slice(first + 1);
  if (!behind) return;
  begin->ns += (first + 1) * kSlice - from;
  end->ns += to - last * kSlice;
  ++behind->more;
  --end->more;
}

void Crowd::settle() {
  settled_.clear();
  std::int64_t filling = 0;
  for (auto at = ran_.begin(); at != ran_.end(); ++at) {
    filling += at->second.more;
    const std::int64_t number = at->first, full = filling * kSlice;
    settled_.push_back({number, number + 1, at->second.ns + full});
    const auto next = std::next(at);
    if (full > 0 && next != ran_.end() && next->first > number + 1) settled_.push_back({number + 1, next->first, full});
  }
  ran_.clear();
}

std::int64_t Crowd::within(std::int64_t from, std::int64_t to) const {
  auto at = std::upper_bound(queued_.begin(), queued_.end(), from,
                             [](std::int64_t t, const Interval& i) { return t < i.to; });
  std::int64_t sum = 0;
  for (; at != queued_.end() && at->from < to; ++at) sum += std::min(at->to, to) - std::max(at->from, from);
  return sum;
}

double Crowd::own_share(std::span<const Interval> of, unsigned cpus) const {
  std::vector<Interval> whole;  // these intervals, in whole slices
  for (const Interval& i : of)
    if (i.to > 0)
      whole.push_back({std::max<std::int64_t>(0, i.from) / kSlice * kSlice, (i.to - 1) / kSlice * kSlice + kSlice});
  double own = 0, all = 0;
  auto next = settled_.begin();
  // A part of each of the slices [from, to), in order of time, had a thread queued.
  const auto take = [&](std::int64_t from, std::int64_t to, double part) {
    all += part * static_cast<double>(kSlice) * static_cast<double>(to - from);
    while (next != settled_.end() && next->to <= from) ++next;
    for (auto at = next; at != settled_.end() && at->from < to; ++at)
      own += part * static_cast<double>(at->ns) * static_cast<double>(std::min(at->to, to) - std::max(at->from, from));
  };
  for (const Interval& queued : common(whole)) {
    const std::int64_t first = queued.from / kSlice, last = queued.to / kSlice;
    const auto part = [](std::int64_t ns) { return static_cast<double>(ns) / static_cast<double>(kSlice); };
    take(first, first + 1, part(std::min(queued.to, (first + 1) * kSlice) - queued.from));
    if (first + 1 < last) take(first + 1, last, 1);
    if (first < last && queued.to > last * kSlice) take(last, last + 1, part(queued.to - last * kSlice));
  }
  return all > 0 ? own / (all * std::max(1u, cpus)) : -1;
}

std::vector<Crowd::Interval> Crowd::common(std::span<const Interval> of) const {
  std::vector<Interval> sorted(of.begin(), of.end()), out;
  std::sort(sorted.begin(), sorted.end(), [](const Interval& a, const Interval& b) { return a.from < b.from; });
  std::int64_t done = INT64_MIN;
  for (const Interval& span : sorted) {
    const std::int64_t from = std::max(span.from, done);
    auto at = std::upper_bound(queued_.begin(), queued_.end(), from,
                               [](std::int64_t t, const Interval& i) { return t < i.to; });
    for (; at != queued_.end() && at->from < span.to; ++at)
      if (std::max(at->from, from) < std::min(at->to, span.to))
        out.push_back({std::max(at->from, from), std::min(at->to, span.to)});
    done = std::max(done, span.to);
  }
  return out;
}

}  // namespace tailcap::model
