// The two launchers that a recorder has: of processes that open files, and of those that read them.
#pragma once

#include <array>
#include <cstdint>

#include "capture/scan/launcher.h"

namespace tailcap::capture::scan {

class Processes {
 public:
  // Forks twice: before there are threads, or anything that these processes should not have. Throws std::system_error.
  Processes();

  const Launcher& openers() const { return openers_; }
  const Launcher& readers() const { return readers_; }
  std::array<std::uint32_t, 2> pids() const { return {openers_.pid(), readers_.pid()}; }

 private:
  Launcher openers_, readers_;
};

}  // namespace tailcap::capture::scan
