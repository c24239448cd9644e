// Bytes that must not outlive their use: wiped when they are replaced or destroyed. Their place is in memory that is
// never swapped out, dumped or inherited (secret_memory), so that growing leaves no copy behind.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>

#include "capture/decrypt/secret_memory.h"

namespace tailcap::capture::decrypt {

// Overwrites memory, also where the compiler sees no further use of it.
void wipe(void* memory, std::size_t size);

class Secret {
 public:
  static constexpr std::size_t kMost = secret_memory::kPlace;

  Secret() = default;
  explicit Secret(std::string_view bytes);  // at most kMost; more are left out
  Secret(const Secret& other) : Secret(other.view()) {}
  Secret(Secret&& other) noexcept
      : place_(std::exchange(other.place_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  Secret& operator=(Secret other) noexcept {
    std::swap(place_, other.place_);
    std::swap(size_, other.size_);
    return *this;
  }
  ~Secret();

  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }
  void resize(std::size_t size) { size_ = size <= kMost ? size : kMost; }
  unsigned char* data();
  const unsigned char* data() const { return const_cast<Secret*>(this)->data(); }
  std::string_view view() const {
    return size_ == 0 ? std::string_view() : std::string_view(reinterpret_cast<const char*>(data()), size_);
  }

 private:
  unsigned char* place_ = nullptr;  // of kMost bytes; nullptr: nothing was written
  std::size_t size_ = 0;
};

}  // namespace tailcap::capture::decrypt
