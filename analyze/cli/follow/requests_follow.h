// tailcap requests --follow: the requests of a recording that is under way.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/cli/options/selection.h"

namespace tailcap::cli {

struct FollowedRequests {
  std::string file;  // "-": standard input
  Selection selection;
  bool json = false;
  std::size_t limit = 0, width = 0;  // limit 0: until the recording ends
};

// Returns the exit code. Throws UsageError for a selection that only the end of the recording can decide.
int follow_requests(const FollowedRequests& wanted);

}  // namespace tailcap::cli
