// Has the kernel measure programs, for moments: each run is then timed, which costs about 50 ns.
//
// The kernel lets CAP_SYS_ADMIN do it only, which the recorder gives up. A process forked before keeps that capability;
// it does nothing else.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "capture/host/descriptor.h"
#include "capture/scan/launcher.h"

namespace tailcap::capture::budget {

class StatisticsSwitch {
 public:
  // Forks: before there are threads. Throws std::system_error.
  StatisticsSwitch();

  // True: done. Otherwise problem() says why not; nothing is measured then.
  bool turn(bool on);
  const std::string& problem() const { return problem_; }
  std::uint32_t pid() const { return launcher_.pid(); }

 private:
  scan::Launcher launcher_;
  Descriptor child_;
  std::string problem_;
};

}  // namespace tailcap::capture::budget
