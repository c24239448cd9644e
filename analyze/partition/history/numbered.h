// A sequence whose things are numbered from 1 and keep their numbers when those before them are forgotten.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>
#include <vector>

namespace tailcap::partition {

// Memory grows by blocks: nothing is copied, nor twice as large as needed, and an access costs two loads.
template <class T>
class Numbered {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  // Things whose numbers divided by it are the same lie side by side.
  static constexpr std::uint64_t kBlock = 256;

  std::uint64_t first() const { return first_; }
  std::uint64_t end() const { return end_; }  // one more than the last
  std::size_t size() const { return static_cast<std::size_t>(end_ - first_); }
  bool empty() const { return first_ == end_; }
  bool has(std::uint64_t number) const { return number - first_ < end_ - first_; }
  // has(number)
  const T& operator[](std::uint64_t number) const { return place(number).thing; }
  T& operator[](std::uint64_t number) { return place(number).thing; }

  void push_back(const T& thing) {
    if (end_ / kBlock - first_block_ >= blocks_.size())
      blocks_.push_back(std::make_unique_for_overwrite<Place[]>(kBlock));
    std::construct_at(&place(end_++).thing, thing);
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
  union Place {  // a block is not written before its things are
    Place() {}
    T thing;
  };
  Place& place(std::uint64_t number) const { return blocks_[number / kBlock - first_block_][number % kBlock]; }

  std::vector<std::unique_ptr<Place[]>> blocks_;
  std::uint64_t first_ = 1, end_ = 1;
  std::uint64_t first_block_ = 0;  // number / kBlock of those in blocks_.front()
};

}  // namespace tailcap::partition
