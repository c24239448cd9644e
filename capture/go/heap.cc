#include "capture/go/heap.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <limits>

#include "capture/go/layout.h"
#include "capture/symbols/go/go_dwarf.h"

namespace tailcap::capture::go {

namespace {

// Places in runtime.gcControllerState.
constexpr std::uint16_t kPercent = 0, kLimit = 8;
constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kMostBytes = std::int64_t{1} << 48;  // bytes; no process has more addresses
constexpr unsigned kFirstMinor = 19;

template <class T>
T number_at(std::string_view memory, std::size_t at) {
  T value;
  std::memcpy(&value, memory.data() + at, sizeof value);
  return value;
}

bool has_limit(std::string_view version) {
  const std::string_view release = release_of(version);
  unsigned minor = 0;
  if (!release.starts_with("1.")) return false;
  std::from_chars(release.data() + 2, release.data() + release.size(), minor);
  return minor >= kFirstMinor;
}

}  // namespace

std::uint32_t HeapPlaces::size() const { return std::max({std::uint16_t{kLimit}, used, live}) + 8u; }

HeapPlaces find_heap(const symbols::ElfFile& file, std::string_view version, std::uint64_t controller) {
  static constexpr std::array kWanted = {symbols::GoMember{"runtime.gcControllerState", "gcPercent"},
                                         symbols::GoMember{"runtime.gcControllerState", "memoryLimit"},
                                         symbols::GoMember{"runtime.gcControllerState", "heapLive"},
                                         symbols::GoMember{"runtime.gcControllerState", "heapMarked"}};
  HeapPlaces places;
  if (controller == 0 || !has_limit(version)) return places;
  const auto found = symbols::go_members(file, kWanted);
  if (!found.empty()) {
    if (found[0] != kPercent || found[1] != kLimit) return places;
    const auto place = [&](std::size_t which) -> std::uint16_t {
      const auto at = found[which];
      return at && *at % 8 == 0 && *at <= HeapPlaces::kMaxSize - 8u ? static_cast<std::uint16_t>(*at) : 0;
    };
    places.used = place(2);
    places.live = place(3);
  }
  places.controller = controller;
  return places;
}

std::optional<formats::GoHeap> read_heap(std::string_view memory, const HeapPlaces& places) {
  if (memory.size() < places.size()) return std::nullopt;
  formats::GoHeap heap;
  const auto limit = number_at<std::int64_t>(memory, kLimit);
  heap.percent = number_at<std::int32_t>(memory, kPercent);
  const auto bytes = [&](std::uint16_t at) -> std::int64_t {
    return at == 0 ? 0 : number_at<std::int64_t>(memory, at);
  };
  const std::int64_t used = bytes(places.used), live = bytes(places.live);
  if (limit <= 0 || (limit > kMostBytes && limit != kNoLimit) || heap.percent < -1) return std::nullopt;
  if (used < 0 || used > kMostBytes || live < 0 || live > kMostBytes) return std::nullopt;
  heap.limit = limit == kNoLimit ? 0 : static_cast<std::uint64_t>(limit);
  heap.used = static_cast<std::uint64_t>(used);
  heap.live = static_cast<std::uint64_t>(live);
  return heap;
}

}  // namespace tailcap::capture::go
