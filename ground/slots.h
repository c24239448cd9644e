// Values that are made again and again, used for a while and handed on. Each has memory of its own, which is used
// again.
#pragma once

#include <cstddef>
#include <iterator>
#include <memory>
#include <vector>

namespace tailcap::ground {

template <class T>
class Slots {
 public:
  class Iterator {
   public:
    using value_type = T;
    using difference_type = std::ptrdiff_t;
    using reference = T&;
    using pointer = T*;
    using iterator_category = std::input_iterator_tag;
    explicit Iterator(const std::unique_ptr<T>* at) : at_(at) {}
    T& operator*() const { return **at_; }
    Iterator& operator++() {
      ++at_;
      return *this;
    }
    bool operator==(const Iterator&) const = default;

   private:
    const std::unique_ptr<T>* at_;
  };

  bool empty() const { return used_ == 0; }
  std::size_t size() const { return used_; }
  T& operator[](std::size_t i) { return *slots_[i]; }  // i < size()
  Iterator begin() const { return Iterator(slots_.data()); }
  Iterator end() const { return Iterator(slots_.data() + used_); }

  void clear() { used_ = 0; }
  // One more, which is what it was when it was used last.
  T& add() {
    if (used_ == slots_.size()) slots_.push_back(std::make_unique<T>());
    return *slots_[used_++];
  }
  // Likewise: what `value` is. What it is afterwards, never empty, was used before.
  void add_swapped(std::unique_ptr<T>& value) {
    add();
    slots_[used_ - 1].swap(value);
  }
  std::unique_ptr<T>& slot(std::size_t i) { return slots_[i]; }  // i < size(); to be swapped with another, not emptied

 private:
  std::vector<std::unique_ptr<T>> slots_;
  std::size_t used_ = 0;
};

}  // namespace tailcap::ground
