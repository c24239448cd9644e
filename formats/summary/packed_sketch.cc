#include "formats/summary/packed_sketch.h"

#include <optional>

namespace tailcap::formats {
namespace {

void put_varint(std::string& out, std::uint64_t n) {
  for (; n >= 0x80; n >>= 7) out += static_cast<char>(n | 0x80);
  out += static_cast<char>(n);
}

std::optional<std::uint64_t> take_varint(std::string_view& bytes) {
  std::uint64_t n = 0;
  for (unsigned shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (shift == 63 && byte > 1) return std::nullopt;
    n |= std::uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return byte == 0 && shift > 0 ? std::nullopt : std::optional(n);  // the shortest form only
  }
  return std::nullopt;
}

}  // namespace

std::string packed(const DurationSketch& sketch) {
  std::string out;
  if (sketch.empty()) return out;
  put_varint(out, sketch.sum());
  put_varint(out, sketch.zero());
  std::int32_t before = DurationSketch::kLowest - 1;
  for (const auto& [bucket, count] : sketch.buckets()) {
    put_varint(out, static_cast<std::uint64_t>(bucket - before - 1));
    put_varint(out, count);
    before = bucket;
  }
  return out;
}

bool unpack(std::string_view bytes, DurationSketch& out) {
  out = {};
  if (bytes.empty()) return true;
  const auto sum = take_varint(bytes), zero = take_varint(bytes);
  if (!sum || !zero) return false;
  out.set_rest(*zero, *sum);
  std::int64_t before = DurationSketch::kLowest - 1;
  while (!bytes.empty()) {
    const auto skipped = take_varint(bytes), count = take_varint(bytes);
    if (!skipped || !count || *skipped >= DurationSketch::kMost + 2) return false;
    before += static_cast<std::int64_t>(*skipped) + 1;
    if (!out.append(static_cast<std::int32_t>(before), *count)) return false;
  }
  return !out.empty();
}

}  // namespace tailcap::formats
