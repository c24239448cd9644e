// The sum of summaries. The order does not matter, and neither do sums of parts: the result has the same bytes.
#pragma once

#include "formats/summary/summary.h"

namespace tailcap::summaries {

class Merger {
 public:
  // Throws std::runtime_error: the windows have another length, or a part of a recording is in both.
  void add(formats::Summary&& part);
  // The sum, within the limits of formats/summary/summary.h. The last call. Throws std::runtime_error where there are
  // too many windows or captures.
  formats::Summary finish();

 private:
  formats::Summary sum_;
};

// The names with most requests stay, the others become formats::kOther: for a summary of one capture.
void keep_most(formats::Summary& summary);

}  // namespace tailcap::summaries
