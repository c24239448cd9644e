// Packed values one behind the other, each at a place that stays. Growing moves nothing.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tailcap::model {

class PackedBytes {
 public:
  static constexpr std::size_t kMost = 64u << 10;  // bytes of one value

  // Returns its place. One to kMost bytes. Throws std::runtime_error where 4 GiB are full.
  std::uint32_t add(std::span<const std::uint8_t> value);
  const std::uint8_t* at(std::uint32_t place) const { return chunks_[place / kMost].get() + place % kMost; }

 private:
  std::vector<std::unique_ptr<std::uint8_t[]>> chunks_;  // of kMost bytes
  std::size_t used_ = kMost;                             // of the last of them
};

}  // namespace tailcap::model
