// tailcap watch --summaries: summaries by day of a recording that goes on.
#pragma once

#include <chrono>
#include <string>

#include "analyze/cli/keep/day_files.h"
#include "formats/time.h"

namespace tailcap::cli {

struct KeptSummaries {
  std::string file;    // the name that the recorder was given
  std::string folder;  // of the summaries
  DayBounds bounds;
  formats::Duration every = std::chrono::seconds{20};
  formats::Duration patience{};  // for the recorder to begin
};

// Adds each file of the recording when it is finished, until the recorder has ended; of a recording in memory, what
// requests ended since the last look. Returns the exit code. Throws std::runtime_error.
int keep_summaries(const KeptSummaries& kept);

}  // namespace tailcap::cli
