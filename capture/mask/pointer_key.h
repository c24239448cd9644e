// Kernel addresses in a capture would reveal the kernel's base address to its readers. They are replaced by numbers
// that are equal if the addresses are: SipHash-2-4 under a key that is never written.
#pragma once

#include <cstdint>

namespace tailcap::capture::mask {

class PointerKey {
 public:
  PointerKey();  // a random one
  PointerKey(std::uint64_t first, std::uint64_t second) : key_{first, second} {}
  std::uint64_t operator()(std::uint64_t address) const;

 private:
  std::uint64_t key_[2];
};

}  // namespace tailcap::capture::mask
