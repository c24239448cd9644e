#include "capture/probes/processors.h"

#include <filesystem>
#include <optional>
#include <sstream>
#include <string>
#include <string_view>

#include "capture/host/system_file.h"

namespace tailcap::capture::go {

namespace {

constexpr std::int32_t kMost = 65535;

// The address of the program's first byte: linkers lay its file out from address 0 on.
std::optional<std::uint64_t> base_of(const std::string& folder) {
  std::error_code error;
  const std::string executable = std::filesystem::read_symlink(folder + "exe", error).string();
  SystemLines maps(folder + "maps", kMapsBytes);
  for (std::string_view line; maps.next(line);) {
    std::istringstream fields{std::string(line)};
    std::string range, rights, device, inode, path;
    std::uint64_t offset = 1;
    if (!(fields >> range >> rights >> std::hex >> offset >> device >> inode >> std::ws) || !std::getline(fields, path))
      continue;
    if (offset != 0 || path != executable) continue;
    try {
      return std::stoull(range, nullptr, 16);
    } catch (const std::exception&) {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace

std::uint16_t read_processors(scan::TargetFiles& files, std::uint32_t pid, std::uint64_t address,
                              bool position_independent) {
  if (address == 0) return 0;
  const std::string folder = "/proc/" + std::to_string(pid) + "/";
  if (position_independent) {
    const auto base = base_of(folder);
    if (!base) return 0;
    address += *base;
  }
  const auto value = files.word(pid, address);
  return value && *value > 0 && *value <= kMost ? static_cast<std::uint16_t>(*value) : 0;
}

}  // namespace tailcap::capture::go
