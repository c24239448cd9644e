// A file that a process has mapped, as /proc tells of it: not opened, and perhaps not there any more.
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

  // The same for all processes that map the file.
  std::string key() const { return device + ":" + std::to_string(inode); }
  // map_files is the file itself, whatever has its name by now, and takes rights that root/ does not. By its name here
  // it can still be found when the process has ended; then it must be on the same device, too.
  std::vector<Candidate> candidates() const {
    const std::string folder = "/proc/" + std::to_string(pid) + "/";
    return {{folder + "map_files/" + range}, {folder + "root" + path, inode}, {path, inode, device_number()}};
  }

 private:
  std::uint64_t device_number() const {
    unsigned upper = 0, lower = 0;
    return std::sscanf(device.c_str(), "%x:%x", &upper, &lower) == 2 ? makedev(upper, lower) : ~std::uint64_t{0};
  }
};

}  // namespace tailcap::capture::scan
