// Things with numbers, spread over parts: different threads can work at different parts at the same time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace tailcap::ground {

inline constexpr std::size_t kParts = 4;
constexpr std::size_t part_of(std::uint32_t number) { return number % kParts; }
constexpr std::uint32_t place_in_part(std::uint32_t number) { return number / kParts; }

// One T for each part, none in a cache line of another.
template <class T>
class Parts {
 public:
  T& operator[](std::size_t part) { return all_[part].value; }
  const T& operator[](std::size_t part) const { return all_[part].value; }

 private:
  struct alignas(64) Aligned {
    T value;
  };
  std::array<Aligned, kParts> all_;
};

}  // namespace tailcap::ground
