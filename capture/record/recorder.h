// Records: from the ring through conversion and masking into the file, until something ends it.
#pragma once

#include <memory>
#include <string>

#include "capture/log/status.h"
#include "capture/options/options.h"

namespace tailcap::capture {

struct Outcome {
  Tally tally;
  std::uint64_t file_bytes = 0;
  std::chrono::nanoseconds elapsed{};
  std::string reason;    // "Ctrl-C", "--duration", …
  bool anybody = false;  // was recorded
  bool command_ran = false;
  int command_status = 0;  // as wait(2) gave it
};

// Throws std::system_error or std::runtime_error if the environment fails; what was written by then is readable.
Outcome record(const Options& options);

}  // namespace tailcap::capture
