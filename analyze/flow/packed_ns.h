// A fixed number of nanosecond values in six bytes each: the request table keeps seventeen per request.
//
// Reads and writes like an array of std::int64_t. Values must lie in (-kMax, kMax): 39 hours.
#pragma once

#include <array>
#include <cassert>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <iterator>

namespace tailcap::flow {

template <std::size_t N>
class PackedNs {
 public:
  static constexpr std::int64_t kMax = std::int64_t{1} << 47;

  class Reference {
   public:
    Reference(PackedNs& values, std::size_t i) : values_(values), i_(i) {}
    operator std::int64_t() const { return values_.get(i_); }
    Reference& operator=(std::int64_t v) { values_.set(i_, v); return *this; }
    Reference& operator=(const Reference& other) { return *this = static_cast<std::int64_t>(other); }
    Reference& operator+=(std::int64_t v) { return *this = *this + v; }
    Reference& operator-=(std::int64_t v) { return *this = *this - v; }

   private:
    PackedNs& values_;
    std::size_t i_;
  };

  class Iterator {
   public:
    using value_type = std::int64_t;
    using difference_type = std::ptrdiff_t;
    using reference = std::int64_t;
    using pointer = void;
    using iterator_category = std::input_iterator_tag;
    using iterator_concept = std::random_access_iterator_tag;  // values, not references: random access in all else
    Iterator() = default;
    Iterator(const PackedNs& values, std::ptrdiff_t i) : values_(&values), i_(i) {}
    std::int64_t operator*() const { return values_->get(static_cast<std::size_t>(i_)); }
    std::int64_t operator[](std::ptrdiff_t n) const { return *(*this + n); }
    Iterator& operator++() { return *this += 1; }
    Iterator operator++(int) { return {*values_, i_++}; }
    Iterator& operator--() { return *this -= 1; }
    Iterator operator--(int) { return {*values_, i_--}; }
    Iterator& operator+=(std::ptrdiff_t n) { i_ += n; return *this; }
    Iterator& operator-=(std::ptrdiff_t n) { i_ -= n; return *this; }
    friend Iterator operator+(Iterator i, std::ptrdiff_t n) { return i += n; }
    friend Iterator operator+(std::ptrdiff_t n, Iterator i) { return i += n; }
    friend Iterator operator-(Iterator i, std::ptrdiff_t n) { return i -= n; }
    friend std::ptrdiff_t operator-(const Iterator& a, const Iterator& b) { return a.i_ - b.i_; }
    bool operator==(const Iterator& other) const { return i_ == other.i_; }
    auto operator<=>(const Iterator& other) const { return i_ <=> other.i_; }

   private:
    const PackedNs* values_ = nullptr;
    std::ptrdiff_t i_ = 0;
  };

  PackedNs() = default;
  PackedNs(const std::array<std::int64_t, N>& values) {
    for (std::size_t i = 0; i < N; ++i) set(i, values[i]);
  }

  static constexpr std::size_t size() { return N; }
  std::int64_t operator[](std::size_t i) const { return get(i); }
  Reference operator[](std::size_t i) { return {*this, i}; }
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, N}; }
  void fill(std::int64_t v) {
    for (std::size_t i = 0; i < N; ++i) set(i, v);
  }
  bool operator==(const PackedNs&) const = default;

 private:
  std::int64_t get(std::size_t i) const {
    assert(i < N);
    std::uint64_t raw = 0;
    std::memcpy(&raw, bytes_.data() + 6 * i, 6);
    return static_cast<std::int64_t>(raw << 16) >> 16;
  }
  void set(std::size_t i, std::int64_t v) {
    assert(i < N && v > -kMax && v < kMax);
    std::memcpy(bytes_.data() + 6 * i, &v, 6);
  }

  std::array<std::uint8_t, 6 * N> bytes_{};
};

}  // namespace tailcap::flow
