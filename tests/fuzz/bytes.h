// A fuzzer's input as a sequence of numbers and texts; zeros and empty texts after its end.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string_view>

class Bytes {
 public:
  Bytes(const std::uint8_t* data, std::size_t size) : data_(data), size_(size) {}
  bool empty() const { return size_ == 0; }
  std::uint8_t byte() { return size_ == 0 ? 0 : (--size_, *data_++); }
  std::uint32_t word() {
    std::uint32_t w = 0;
    for (int i = 0; i < 4; ++i) w = w << 8 | byte();
    return w;
  }
  std::string_view text(std::size_t n) {
    n = std::min(n, size_);
    const std::string_view t(reinterpret_cast<const char*>(data_), n);
    data_ += n;
    size_ -= n;
    return t;
  }

 private:
  const std::uint8_t* data_;
  std::size_t size_;
};
