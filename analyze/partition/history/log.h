// The recent history of a thread or a connection, by time; the oldest entries are dropped.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace tailcap::partition {

using Nanos = std::int64_t;  // of the capture's clock

// T::time orders. Events come nearly in order; what comes late finds its place.
template <class T>
class Log {
 public:
  void add(const T& thing) {
    if (size() == 0 || things_.back().time <= thing.time) {
      things_.push_back(thing);
      return;
    }
    const T* at = first_after(thing.time);
    // Further back than events ever come late is a crafted capture.
    if (end() - at <= kMaxLate) things_.insert(things_.begin() + (at - things_.data()), thing);
  }
  // Forgets what lies before t. Returns how many.
  std::size_t forget_before(std::int64_t t) {
    const auto n = static_cast<std::size_t>(first_at(t) - begin());
    if (n == 0) return 0;
    first_ += n;
    if (first_ * 2 >= things_.size()) {
      things_.erase(things_.begin(), things_.begin() + static_cast<std::ptrdiff_t>(first_));
      first_ = 0;
      if (things_.capacity() > 4 * things_.size() + 64) things_.shrink_to_fit();
    }
    return n;
  }

  std::size_t size() const { return things_.size() - first_; }
  const T* begin() const { return things_.data() + first_; }
  const T* end() const { return things_.data() + things_.size(); }
  T& back() { return things_.back(); }
  const T* first_at(std::int64_t t) const {
    return std::lower_bound(begin(), end(), t, [](const T& a, std::int64_t b) { return a.time < b; });
  }
  const T* first_after(std::int64_t t) const { return std::upper_bound(begin(), end(), t, before); }
  // The last before t; nullptr: none.
  const T* last_before(std::int64_t t) const {
    const T* at = first_at(t);
    return at == begin() ? nullptr : at - 1;
  }
  const T* last_until(std::int64_t t) const {
    const T* at = first_after(t);
    return at == begin() ? nullptr : at - 1;
  }

 private:
  static constexpr std::ptrdiff_t kMaxLate = 4096;
  static bool before(std::int64_t t, const T& thing) { return t < thing.time; }
  std::vector<T> things_;
  std::size_t first_ = 0;
};

// Stretches [T::time, T::to), which may overlap: found by what they touch. The few long ones are kept apart, so that
// looking for the others need not go far back.
template <class T>
class Stretches {
 public:
  void add(const T& stretch) {
    if (stretch.to - stretch.time <= kShort) return short_.add(stretch);
    if (long_.size() == kMaxLong) long_.erase(long_.begin());
    long_.push_back(stretch);
  }
  // visit(stretch) for each that has something in common with [from, to).
  template <class Visit>
  void each(std::int64_t from, std::int64_t to, Visit&& visit) const {
    for (const T& s : long_)
      if (s.time < to && s.to > from) visit(s);
    for (const T* s = short_.first_at(from - kShort); s != short_.end() && s->time < to; ++s)
      if (s->to > from) visit(*s);
  }
  std::size_t forget_before(std::int64_t t) {
    return short_.forget_before(t - kShort) + std::erase_if(long_, [&](const T& s) { return s.to < t; });
  }
  bool empty() const { return short_.size() == 0 && long_.empty(); }

 private:
  static constexpr std::int64_t kShort = 100'000'000;
  static constexpr std::size_t kMaxLong = 1024;
  Log<T> short_;
  std::vector<T> long_;
};

}  // namespace tailcap::partition
