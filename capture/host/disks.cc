#include "capture/host/disks.h"

#include <algorithm>
#include <filesystem>

namespace tailcap::capture {

std::vector<std::pair<std::string, std::string>> disk_names() {
  std::vector<std::pair<std::string, std::string>> out;
  std::error_code failed;
  for (std::filesystem::directory_iterator at("/sys/dev/block", failed), end;
       !failed && at != end && out.size() < kMaxDisks; at.increment(failed)) {
    std::error_code gone;
    const std::filesystem::path device = std::filesystem::read_symlink(at->path(), gone);
    if (!gone && device.has_filename()) out.emplace_back(at->path().filename().string(), device.filename().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace tailcap::capture
