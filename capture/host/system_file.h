// Files of /proc, /sys and cgroups, which vanish, fail and grow while they are read.
//
// Nothing here throws because of such a file, and nothing waits for one: what cannot be read is empty, and what is
// longer than the limit is cut. All of capture/ reads them through this header.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tailcap::capture {

// Enough for every file of /proc but maps, and for every file of a cgroup.
inline constexpr std::size_t kSystemFileBytes = 65536;
// /proc/PID/maps with as many mappings as the kernel allows by default (65,530), with long paths.
inline constexpr std::size_t kMapsBytes = 16u << 20;

// /proc/self/mounts and mountinfo: each mount is a line; containers have thousands of them.
inline constexpr std::size_t kMountsBytes = 4u << 20;

// The first bytes of a file, at most `most`. Empty where it cannot be opened or read; what was read before an error
// counts.
std::string read_system_file(const std::string& path, std::size_t most = kSystemFileBytes);

// The lines of such a file, one at a time, so that a long file takes no memory.
class SystemLines {
 public:
  explicit SystemLines(const std::string& path, std::size_t most = kSystemFileBytes);
  ~SystemLines();
  SystemLines(const SystemLines&) = delete;
  SystemLines& operator=(const SystemLines&) = delete;

  // False at the end, at an error, and at the limit. The line is valid until the next call; a line of more than 16 KiB
  // is skipped.
  bool next(std::string_view& line);

 private:
  bool fill();

  int descriptor_ = -1;
  std::size_t left_;  // bytes that may still be read
  std::string buffer_;
  std::size_t at_ = 0;  // what is before it has been handed out
  bool end_ = false;
};

}  // namespace tailcap::capture
