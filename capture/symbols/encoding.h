// Encodes values as bytes, between the recorder and the processes that read files for it.
//
// Both ends are the same program, so numbers have this machine's format. The decoder trusts nothing: every read is
// checked against the bytes left, and after the first failure all values are zero or empty and ok() is false.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace tailcap::capture::scan {

class Encoder {
 public:
  template <class T>
  void number(T value) {
    static_assert(std::is_integral_v<T> || std::is_enum_v<T>);
    bytes_.append(reinterpret_cast<const char*>(&value), sizeof value);
  }
  void text(std::string_view text) {
    number(static_cast<std::uint64_t>(text.size()));
    bytes_.append(text);
  }
  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

class Decoder {
 public:
  explicit Decoder(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T number() {
    static_assert(std::is_integral_v<T>);
    T value{};
    if (bytes_.size() < sizeof value) {
      fail();
      return T{};
    }
    std::memcpy(&value, bytes_.data(), sizeof value);
    bytes_.remove_prefix(sizeof value);
    return value;
  }
  bool truth() { return number<std::uint8_t>() != 0; }
  // A view into the bytes; longer than `most`: a failure.
  std::string_view text(std::size_t most) {
    const auto size = number<std::uint64_t>();
    if (size > most || size > bytes_.size()) {
      fail();
      return std::string_view();
    }
    const std::string_view out = bytes_.substr(0, size);
    bytes_.remove_prefix(size);
    return out;
  }
  // The number of items that follow; each takes at least `least` bytes. More than `most` items are a failure.
  std::size_t count(std::size_t most, std::size_t least = 1) {
    const auto value = number<std::uint64_t>();
    if (value > most || value > bytes_.size() / least) {
      fail();
      return 0;
    }
    return value;
  }
  void fail() {
    ok_ = false;
    bytes_ = {};
  }
  bool ok() const { return ok_; }
  bool done() const { return ok_ && bytes_.empty(); }

 private:
  std::string_view bytes_;
  bool ok_ = true;
};

}  // namespace tailcap::capture::scan
