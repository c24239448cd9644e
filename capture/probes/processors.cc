#include "capture/probes/processors.h"

#include <optional>

#include "capture/scan/process_text.h"

namespace tailcap::capture::go {

namespace {

constexpr std::int32_t kMost = 65535;

// The address of the program's first byte: linkers lay its file out from address 0 on.
std::optional<std::uint64_t> base_of(scan::TargetFiles& files, std::uint32_t pid) {
  const auto text = files.process({pid, false, scan::kAllMappings});
  if (!text) return std::nullopt;
  for (const auto& line : text->maps) {
    const auto mapping = scan::parse_maps_line(pid, line);
    if (mapping && mapping->file_offset == 0 && mapping->file.path == text->executable) return mapping->start;
  }
  return std::nullopt;
}

}  // namespace

std::uint16_t read_processors(scan::TargetFiles& files, std::uint32_t pid, std::uint64_t address,
                              bool position_independent) {
  if (address == 0) return 0;
  if (position_independent) {
    const auto base = base_of(files, pid);
    if (!base) return 0;
    address += *base;
  }
  const auto value = files.word(pid, address);
  return value && *value > 0 && *value <= kMost ? static_cast<std::uint16_t>(*value) : 0;
}

}  // namespace tailcap::capture::go
