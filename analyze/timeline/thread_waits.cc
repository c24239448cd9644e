#include "analyze/timeline/thread_waits.h"

#include <algorithm>

namespace tailcap::timeline {
namespace {

// A wait may come this many places late; events are delivered nearly in order, so more is a crafted capture.
constexpr std::ptrdiff_t kMaxLate = 4096;

constexpr auto kRunnable = static_cast<std::size_t>(flow::ThreadTime::runnable);

std::int64_t overlap(std::int64_t a, std::int64_t b, std::int64_t from, std::int64_t to) {
  return std::max<std::int64_t>(0, std::min(b, to) - std::max(a, from));
}

}  // namespace

void add_overlap(const Wait& wait, std::int64_t from, std::int64_t to, Sums& sums) {
  sums[wait.what] += overlap(wait.left, wait.runnable, from, to);
  sums[kRunnable] += overlap(wait.runnable, wait.back, from, to);
}

Wait ThreadWaits::add(Wait wait) {
  wait.runnable = std::clamp(wait.runnable, wait.left, std::max(wait.left, wait.back));
  auto at = waits_.end();
  if (wait.left < last_back_) {
    // Late or contradictory: find its place, keep only what is free there.
    at = std::upper_bound(waits_.begin() + static_cast<std::ptrdiff_t>(first_), waits_.end(), wait.left,
                          [](std::int64_t t, const Wait& w) { return t < w.left; });
    if (waits_.end() - at > kMaxLate) return {wait.left, wait.left, wait.left, wait.what};
    const std::int64_t floor =
        at == waits_.begin() + static_cast<std::ptrdiff_t>(first_) ? forgotten_until_ : std::prev(at)->back;
    const std::int64_t ceiling = at == waits_.end() ? wait.back : at->left;
    wait.left = std::max(wait.left, floor);
    wait.back = std::min(wait.back, ceiling);
    if (wait.left < wait.back) wait.runnable = std::clamp(wait.runnable, wait.left, wait.back);
  }
  if (wait.left >= wait.back) return {wait.left, wait.left, wait.left, wait.what};
  if (at == waits_.end()) {
    waits_.push_back(wait);
    last_back_ = wait.back;
  } else {
    const auto i = static_cast<std::size_t>(at - waits_.begin());
    waits_.insert(at, wait);
    chunks_.resize(std::min(chunks_.size(), i / kChunk + 1));
  }
  extend_chunks();
  return wait;
}

// chunks_[i] holds the sums before waits_[i * kChunk], counted from the vector's beginning.
void ThreadWaits::extend_chunks() {
  if (chunks_.empty()) chunks_.emplace_back();
  while (chunks_.size() * kChunk <= waits_.size()) {
    Sums sums = chunks_.back();
    for (std::size_t i = (chunks_.size() - 1) * kChunk; i < chunks_.size() * kChunk; ++i)
      add_overlap(waits_[i], waits_[i].left, waits_[i].back, sums);
    chunks_.push_back(sums);
  }
}

std::size_t ThreadWaits::first_back_after(std::int64_t t) const {
  const auto at = std::upper_bound(waits_.begin() + static_cast<std::ptrdiff_t>(first_), waits_.end(), t,
                                   [](std::int64_t x, const Wait& w) { return x < w.back; });
  return static_cast<std::size_t>(at - waits_.begin());
}

Sums ThreadWaits::sums_before(std::size_t i) const {
  Sums sums = chunks_[i / kChunk];
  for (std::size_t k = i / kChunk * kChunk; k < i; ++k) add_overlap(waits_[k], waits_[k].left, waits_[k].back, sums);
  return sums;
}

void ThreadWaits::add_sums(std::int64_t from, std::int64_t to, Sums& sums) const {
  const std::size_t begin = first_back_after(from);
  std::size_t i = begin;
  for (const std::size_t near = std::min(waits_.size(), begin + 2 * kChunk); i < near; ++i) {
    if (waits_[i].left >= to) return;
    add_overlap(waits_[i], from, to, sums);
  }
  if (i >= waits_.size() || waits_[i].left >= to) return;
  // A long window: whole waits by their sums, the last one by hand.
  const auto past = std::lower_bound(waits_.begin() + static_cast<std::ptrdiff_t>(i), waits_.end(), to,
                                     [](const Wait& w, std::int64_t t) { return w.left < t; });
  const auto last = static_cast<std::size_t>(past - waits_.begin()) - 1;
  const Sums before_last = sums_before(last), before_i = sums_before(i);
  for (std::size_t k = 0; k < sums.size(); ++k) sums[k] += before_last[k] - before_i[k];
  add_overlap(waits_[last], from, to, sums);
}

void ThreadWaits::drop(std::size_t n) {
  if (n == 0) return;
  forgotten_until_ = std::max(forgotten_until_, waits_[first_ + n - 1].back);
  first_ += n;
  if (first_ * 2 < waits_.size()) return;
  // Move down by whole chunks; their sums keep counting from the old beginning, which cancels out.
  const std::size_t whole = first_ / kChunk;
  waits_.erase(waits_.begin(), waits_.begin() + static_cast<std::ptrdiff_t>(whole * kChunk));
  chunks_.erase(chunks_.begin(), chunks_.begin() + static_cast<std::ptrdiff_t>(whole));
  first_ -= whole * kChunk;
  if (waits_.capacity() > 4 * waits_.size() + kChunk) waits_.shrink_to_fit();
}

std::size_t ThreadWaits::forget_before(std::int64_t t) {
  const std::size_t n = first_back_after(t) - first_;
  if (n < kChunk) return 0;
  drop(n);
  return n;
}

std::size_t ThreadWaits::forget_half() {
  const std::size_t n = (size() + 1) / 2;
  drop(n);
  return n;
}

void ThreadWaits::clear() { *this = {}; }

}  // namespace tailcap::timeline
