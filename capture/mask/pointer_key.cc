#include "capture/mask/pointer_key.h"

#include <bit>
#include <random>

namespace tailcap::capture::mask {

PointerKey::PointerKey() {
  std::random_device device;
  for (std::uint64_t& k : key_) k = static_cast<std::uint64_t>(device()) << 32 | device();
}

std::uint64_t PointerKey::operator()(std::uint64_t address) const {
  if (address == 0) return 0;
  std::uint64_t a = key_[0] ^ 0x736f6d6570736575u, b = key_[1] ^ 0x646f72616e646f6du, c = key_[0] ^ 0x6c7967656e657261u,
                d = key_[1] ^ 0x7465646279746573u;
  const auto rounds = [&](int n) {
    for (; n > 0; --n) {
      a += b;
      b = std::rotl(b, 13) ^ a;
      a = std::rotl(a, 32);
      c += d;
      d = std::rotl(d, 16) ^ c;
      a += d;
      d = std::rotl(d, 21) ^ a;
      c += b;
      b = std::rotl(b, 17) ^ c;
      c = std::rotl(c, 32);
    }
  };
  for (const std::uint64_t word : {address, std::uint64_t{8} << 56}) {
    d ^= word;
    rounds(2);
    a ^= word;
  }
  c ^= 0xff;
  rounds(4);
  return a ^ b ^ c ^ d;
}

}  // namespace tailcap::capture::mask
