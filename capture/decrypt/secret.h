// Bytes that must not outlive their use: wiped when they are replaced or destroyed. A fixed place, so that no copy is
// left behind by growing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace tailcap::capture::decrypt {

// Overwrites memory, also where the compiler sees no further use of it.
void wipe(void* memory, std::size_t size);

class Secret {
 public:
  static constexpr std::size_t kMost = 64;

  Secret() = default;
  explicit Secret(std::string_view bytes);  // at most kMost; more are left out
  Secret(const Secret&) = default;
  Secret& operator=(const Secret&) = default;
  ~Secret() { wipe(bytes_.data(), bytes_.size()); }

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  void resize(std::size_t size) { size_ = size <= kMost ? size : kMost; }
  unsigned char* data() { return bytes_.data(); }
  const unsigned char* data() const { return bytes_.data(); }
  std::string_view view() const { return {reinterpret_cast<const char*>(bytes_.data()), size_}; }

 private:
  std::array<unsigned char, kMost> bytes_{};
  std::size_t size_ = 0;
};

}  // namespace tailcap::capture::decrypt
