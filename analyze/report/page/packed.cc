#include "analyze/report/page/packed.h"

#include <zlib.h>

#include <cstdint>
#include <stdexcept>
#include <vector>

namespace tailcap::report::page {
namespace {

constexpr int kEffort = 2;  // of 9: zlib's default takes five times as long for data that are 6 % smaller

std::vector<std::uint8_t> deflated(std::string_view bytes) {
  uLongf size = compressBound(bytes.size());
  std::vector<std::uint8_t> out(size);
  if (compress2(out.data(), &size, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size(), kEffort) != Z_OK)
    throw std::runtime_error("zlib cannot compress the data of the page: no memory");
  out.resize(size);
  return out;
}

}  // namespace

std::string packed(std::string_view bytes) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  const std::vector<std::uint8_t> small = deflated(bytes);
  std::string out;
  out.reserve((small.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < small.size(); i += 3) {
    const std::size_t n = std::min<std::size_t>(3, small.size() - i);
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k) three = three << 8 | (k < n ? small[i + k] : 0u);
    for (std::size_t k = 0; k < 4; ++k) out += k <= n ? kDigits[three >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

}  // namespace tailcap::report::page
