#include "capture/symbols/go_methods.h"

#include <cstddef>
#include <cstring>
#include <string>

namespace tailcap::capture::symbols {

namespace {

// internal/abi/type.go. Offsets in Type, and where the UncommonType is: behind PtrType or StructType.
constexpr std::size_t kFlags = 20, kKind = 23, kBehindPointer = 56, kBehindStruct = 80;
constexpr std::uint8_t kUncommon = 1, kKindMask = 31, kPointer = 22, kStruct = 25;
// In UncommonType: the number of methods, and where they are, from its own start.
constexpr std::size_t kUncommonSize = 16, kCount = 4, kMethods = 8;
// In Method: the function, which takes the receiver itself.
constexpr std::size_t kMethodSize = 16, kFunction = 12;

template <class T>
T value(const std::string& bytes, std::size_t at) {
  T n{};
  if (bytes.size() >= at + sizeof n) std::memcpy(&n, bytes.data() + at, sizeof n);
  return n;
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
    // Of methods that nobody can call there is nothing: 0 or -1.
    if (const auto offset = value<std::int32_t>(methods, at + kFunction); offset > 0) functions.push_back(static_cast<std::uint64_t>(offset));
  }
  return functions;
}

}  // namespace tailcap::capture::symbols
