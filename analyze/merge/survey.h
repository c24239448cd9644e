// The first reading of the captures to be merged: which are of one machine, and how the clocks of the machines stand.
#pragma once

#include <vector>

#include "analyze/merge/merge.h"
#include "analyze/merge/ownership.h"

namespace tailcap::merge {

struct Survey {
  std::vector<MergeInput> sources;
  Ownership ownership;       // of the captures that share a machine with another
  std::vector<bool> shares;  // by input: it does
  bool determined = true;    // every clock has its place
};

Survey survey(const MergeOptions& options);

}  // namespace tailcap::merge
