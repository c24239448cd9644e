// A sequence whose things are numbered from 1 and keep their numbers when those before them are forgotten.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tailcap::partition {

// Memory grows by blocks: nothing is copied, nor twice as large as needed, and an access costs two loads.
template <class T>
class Numbered {
 public:
  std::uint64_t first() const { return first_; }
  std::uint64_t end() const { return end_; }  // one more than the last
  std::size_t size() const { return static_cast<std::size_t>(end_ - first_); }
  bool empty() const { return first_ == end_; }
  bool has(std::uint64_t number) const { return number - first_ < end_ - first_; }
  // has(number)
  const T& operator[](std::uint64_t number) const { return blocks_[number / kBlock - first_block_][number % kBlock]; }
  T& operator[](std::uint64_t number) { return blocks_[number / kBlock - first_block_][number % kBlock]; }

  void push_back(const T& thing) {
    if (end_ / kBlock - first_block_ >= blocks_.size()) blocks_.push_back(std::make_unique<T[]>(kBlock));
    (*this)[end_++] = thing;
  }
  // At most end().
  void forget_before(std::uint64_t number) {
    if (number <= first_) return;
    first_ = number;
    const std::size_t n = std::min<std::size_t>(first_ / kBlock - first_block_, blocks_.size());
    blocks_.erase(blocks_.begin(), blocks_.begin() + static_cast<std::ptrdiff_t>(n));
    first_block_ += n;
  }
  // The first in [from, to) of which `is` is true, as it is of all that follow; `to`: none.
  template <class Is>
  std::uint64_t search(std::uint64_t from, std::uint64_t to, const Is& is) const {
    while (from < to) {
      const std::uint64_t middle = from + (to - from) / 2;
      if (is((*this)[middle]))
        to = middle;
      else
        from = middle + 1;
    }
    return from;
  }

 private:
  static constexpr std::uint64_t kBlock = 256;
  std::vector<std::unique_ptr<T[]>> blocks_;
  std::uint64_t first_ = 1, end_ = 1;
  std::uint64_t first_block_ = 0;  // number / kBlock of those in blocks_.front()
};

}  // namespace tailcap::partition
