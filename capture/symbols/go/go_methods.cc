#include "capture/symbols/go/go_methods.h"

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace tailcap::capture::symbols {

namespace {

// internal/abi/type.go. Offsets in Type, and the place of the UncommonType: after PtrType or StructType.
constexpr std::size_t kPointers = 8, kFlags = 20, kAlign = 21, kFieldAlign = 22, kKind = 23, kBehindPointer = 56,
                      kBehindStruct = 80;
constexpr std::uint8_t kUncommon = 1, kKindMask = 31, kPointer = 22, kStruct = 25;
// In UncommonType: the number of methods, and their offset from its own start.
constexpr std::size_t kUncommonSize = 16, kCount = 4, kMethods = 8;
// In Method: the function, which takes the receiver itself.
constexpr std::size_t kMethodSize = 16, kFunction = 12;

// The limit for sections with descriptors: 64 MiB of constants are in the largest programs.
constexpr std::uint64_t kMaxMethodData = 256u << 20, kMethodsAtOnce = 1u << 20;
constexpr std::size_t kMaxTypes = 1u << 18;

template <class T>
T value(std::string_view bytes, std::size_t at) {
  T n{};
  if (bytes.size() >= at + sizeof n) std::memcpy(&n, bytes.data() + at, sizeof n);
  return n;
}

bool may_have_methods(std::string_view type) {
  const auto kind = static_cast<std::uint8_t>(value<std::uint8_t>(type, kKind) & kKindMask);
  const auto align = value<std::uint8_t>(type, kAlign);
  if (!(value<std::uint8_t>(type, kFlags) & kUncommon) || (kind != kPointer && kind != kStruct)) return false;
  if (align != value<std::uint8_t>(type, kFieldAlign) || (align != 1 && align != 2 && align != 4 && align != 8))
    return false;
  const auto size = value<std::uint64_t>(type, 0);
  if (kind == kPointer) return size == 8 && align == 8;
  return value<std::uint64_t>(type, kPointers) <= size && size < (std::uint64_t{1} << 40);
}

}  // namespace

std::vector<std::uint64_t> go_methods(const ElfFile& file, std::uint64_t type) {
  const std::string head = file.read_address(type, kKind + 1, kKind + 1);
  const auto kind = static_cast<std::uint8_t>(value<std::uint8_t>(head, kKind) & kKindMask);
  if (!(value<std::uint8_t>(head, kFlags) & kUncommon) || (kind != kPointer && kind != kStruct)) return {};
  const std::uint64_t uncommon = type + (kind == kPointer ? kBehindPointer : kBehindStruct);
  const std::string about = file.read_address(uncommon, kUncommonSize, kUncommonSize);
  const std::size_t count = value<std::uint16_t>(about, kCount);
  const std::uint64_t bytes = std::uint64_t{count} * kMethodSize;
  const std::string methods = file.read_address(uncommon + value<std::uint32_t>(about, kMethods), bytes, bytes);
  std::vector<std::uint64_t> functions;
  for (std::size_t at = 0; at + kMethodSize <= methods.size(); at += kMethodSize) {
    // A method that cannot be called has no function: 0 or -1.
    if (const auto offset = value<std::int32_t>(methods, at + kFunction); offset > 0)
      functions.push_back(static_cast<std::uint64_t>(offset));
  }
  return functions;
}

std::vector<std::uint64_t> go_types_with_methods(const ElfFile& file) {
  std::vector<std::uint64_t> types;
  std::uint64_t left = kMaxMethodData;
  for (const Segment& segment : file.segments()) {
    if (segment.executable) continue;
    const std::uint64_t size = std::min(segment.file_size, left);
    left -= size;
    for (std::uint64_t at = (8 - segment.address % 8) % 8; at + kKind < size; at += kMethodsAtOnce) {
      const std::uint64_t bytes = std::min(kMethodsAtOnce + kKind, size - at);
      const std::string chunk = file.read(segment.offset + at, bytes, bytes);
      if (chunk.empty()) break;
      for (std::size_t i = 0; i + kKind < chunk.size() && i < kMethodsAtOnce; i += 8) {
        if (may_have_methods(std::string_view(chunk).substr(i)) && types.size() < kMaxTypes)
          types.push_back(segment.address + at + i);
      }
    }
  }
  return types;
}

}  // namespace tailcap::capture::symbols
