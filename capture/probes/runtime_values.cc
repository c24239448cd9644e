#include "capture/probes/runtime_values.h"

#include "capture/scan/process_text.h"

namespace tailcap::capture::go {

namespace {

constexpr std::int32_t kMost = 65535;

}  // namespace

std::optional<std::uint64_t> base_of(scan::TargetFiles& files, std::uint32_t pid) {
  const auto text = files.process({pid, false, scan::kAllMappings});
  if (!text) return std::nullopt;
  for (const auto& line : text->maps) {
    const auto mapping = scan::parse_maps_line(pid, line);
    if (mapping && mapping->file_offset == 0 && mapping->file.path == text->executable) return mapping->start;
  }
  return std::nullopt;
}

std::uint16_t read_processors(scan::TargetFiles& files, std::uint32_t pid, std::uint64_t address) {
  const auto value = files.word(pid, address);
  return value && *value > 0 && *value <= kMost ? static_cast<std::uint16_t>(*value) : 0;
}

std::optional<formats::GoHeap> read_heap(scan::TargetFiles& files, std::uint32_t pid, std::uint64_t base,
                                         const HeapPlaces& places) {
  const auto memory = files.memory(pid, base + places.controller, places.size());
  return memory ? read_heap(*memory, places) : std::nullopt;
}

}  // namespace tailcap::capture::go
