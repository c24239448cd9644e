// How a column is held: Column while a block is being collected, ColumnView over a message that was read.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <vector>

namespace tailcap::formats::columns {

template <class T>
using Column = std::vector<T>;

// A list inside a message. An absent column reads as zeros.
template <class T>
class ColumnView {
 public:
  using value_type = T;
  ColumnView() = default;
  ColumnView(const std::byte* data, std::size_t size) : data_(data), size_(size) {}
  std::size_t size() const { return size_; }
  const char* chars() const { return reinterpret_cast<const char*>(data_); }  // of a column of bytes
  // i < size(), or the column is absent.
  T operator[](std::size_t i) const {
    T value{};
    if (data_ != nullptr) std::memcpy(&value, data_ + i * sizeof(T), sizeof(T));
    return value;
  }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace tailcap::formats::columns
