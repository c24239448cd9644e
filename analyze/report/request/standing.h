// How a request compares with its route, and what was behind its waits.
#pragma once

#include <vector>

#include "analyze/render/document.h"
#include "analyze/report/words/fact_line.h"

namespace tailcap::report {

struct RequestStanding {
  std::vector<FactLine>
      facts;             // what is typical of its route, the answer of the report that it belongs to, the machine
  render::Table behind;  // its waits for somebody as a tree; without rows: none, or not known
};

}  // namespace tailcap::report
