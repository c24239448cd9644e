// The difference between slow and typical requests, label by label, as it is printed: columns add up to their last
// digit.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/study/study.h"

namespace tailcap::report::tail {

struct DifferenceRow {
  std::string text;  // "CPU quota throttling"
  std::string name;  // "sched.throttled"; empty: several small ones together
  std::string colour;
  std::string slow, typical, more;  // in DifferenceTable::unit, with as many decimals as its totals
  std::string interval;             // of `more`; empty: none
  std::string share;                // of the gap
  std::string with;                 // share of the slow requests that have more of it than 99 % of the typical ones
  std::string dominant;  // share of the slow requests in which it is most of what they take beyond a typical one
  std::string notes;     // "inferred", "sampled"
  bool named = false;    // in the route's verdict
  const model::LabelDifference* difference = nullptr;  // of the study; unset: several
};

struct DifferenceTable {
  std::string unit;  // "ms"
  std::vector<DifferenceRow> rows;
  DifferenceRow total;
};

// study: compared, not refused; must outlive the table.
DifferenceTable difference_table(const model::TailStudy& study);

}  // namespace tailcap::report::tail
