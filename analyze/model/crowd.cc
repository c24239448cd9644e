#include "analyze/model/crowd.h"

#include <algorithm>

namespace tailcap::model {
namespace {

constexpr std::size_t kMaxSlices = 8u << 20;  // a day
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

void Crowd::ran(std::int64_t from, std::int64_t to) {
  if (to <= from || from <= 0) return;
  if (ran_.empty()) origin_ = from - from % kSlice;
  from = std::max(from, origin_);
  for (std::int64_t at = from; at < to;) {
    const auto slice = static_cast<std::size_t>((at - origin_) / kSlice);
    if (slice >= kMaxSlices) return;
    const std::int64_t until = std::min(to, origin_ + static_cast<std::int64_t>(slice + 1) * kSlice);
    if (slice >= ran_.size()) ran_.resize(slice + 1);
    ran_[slice] += static_cast<std::uint64_t>(until - at);
    at = until;
  }
}

std::int64_t Crowd::within(std::int64_t from, std::int64_t to) const {
  auto at = std::upper_bound(queued_.begin(), queued_.end(), from,
                             [](std::int64_t t, const Interval& i) { return t < i.to; });
  std::int64_t sum = 0;
  for (; at != queued_.end() && at->from < to; ++at) sum += std::min(at->to, to) - std::max(at->from, from);
  return sum;
}

double Crowd::own_share(std::span<const Interval> of, unsigned cpus) const {
  std::vector<std::size_t> slices;
  for (const Interval& i : of) {
    if (i.to <= origin_) continue;
    const auto first = static_cast<std::size_t>(std::max<std::int64_t>(0, i.from - origin_) / kSlice);
    for (std::size_t s = first; s < first + kMaxSlices && origin_ + static_cast<std::int64_t>(s) * kSlice < i.to; ++s)
      slices.push_back(s);
  }
  std::sort(slices.begin(), slices.end());
  slices.erase(std::unique(slices.begin(), slices.end()), slices.end());
  double own = 0, all = 0;
  for (const std::size_t s : slices) {
    const std::int64_t from = origin_ + static_cast<std::int64_t>(s) * kSlice;
    const auto share = static_cast<double>(within(from, from + kSlice)) / static_cast<double>(kSlice);
    if (s < ran_.size()) own += share * static_cast<double>(ran_[s]);
    all += share * static_cast<double>(kSlice);
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
