#include "capture/symbols/elf/unwind_table.h"

#include <algorithm>

#include "capture/symbols/elf/eh_frame.h"

namespace tailcap::capture::symbols {

std::vector<FunctionRange> unwind_ranges(const ElfFile& file) {
  std::vector<FunctionRange> ranges;
  EhFrame table(file);
  for (FunctionFrame function; table.next(function);) ranges.push_back({function.address, function.size});
  std::sort(ranges.begin(), ranges.end(), [](const auto& a, const auto& b) { return a.address < b.address; });
  return ranges;
}

const FunctionRange* range_around(const std::vector<FunctionRange>& ranges, std::uint64_t address) {
  auto after = std::upper_bound(ranges.begin(), ranges.end(), address,
                                [](std::uint64_t wanted, const FunctionRange& r) { return wanted < r.address; });
  if (after == ranges.begin()) return nullptr;
  --after;
  return address - after->address < after->size ? &*after : nullptr;
}

}  // namespace tailcap::capture::symbols
