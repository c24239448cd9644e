// A file that a process has mapped, according to /proc: not opened, and perhaps no longer there.
#pragma once

#include <sys/sysmacros.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "capture/scan/opener.h"

namespace tailcap::capture::scan {

struct MappedFile {
  std::uint32_t pid = 0;
  std::string range;  // of addresses, as /proc/PID/map_files names it
  std::string device, path;
  std::uint64_t inode = 0;
  std::int64_t mapped_by = 0;  // a process mapped it no later than this, ns of the coarse realtime; 0: unknown

  // Equal for all processes that map the file.
  std::string key() const { return device + ":" + std::to_string(inode); }
  // map_files is the file itself, whichever file has its name now, and requires privileges that root/ does not. The
  // name is still usable when the process has ended; then the device must match, too, and the file must not have been
  // rewritten in place.
  std::vector<Candidate> candidates() const {
    const std::string folder = "/proc/" + std::to_string(pid) + "/";
    return {{folder + "map_files/" + range},
            {folder + "root" + path, inode, 0, mapped_by},
            {path, inode, device_number(), mapped_by}};
  }

  std::uint64_t device_number() const {
    unsigned upper = 0, lower = 0;
    return std::sscanf(device.c_str(), "%x:%x", &upper, &lower) == 2 ? makedev(upper, lower) : ~std::uint64_t{0};
  }
};

}  // namespace tailcap::capture::scan
