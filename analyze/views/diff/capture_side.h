// A capture, or a part of it, read as a side of `tailcap diff`.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/difference/difference.h"
#include "analyze/pipeline/pipeline.h"

namespace tailcap::views {

struct CaptureSideRead {
  model::difference::CaptureSide side;
  std::vector<model::ExchangeId> wrong;  // as in pipeline::Analysis
  bool damaged = false;                  // likewise
};

// options: which requests, and how routes are made. part: in words; empty: all of it.
CaptureSideRead read_side(const std::string& path, pipeline::Options options, std::string part);

// Leaves the program's name out of routes where it does not distinguish any, and compares.
model::difference::Difference difference_of(CaptureSideRead& a, CaptureSideRead& b);

}  // namespace tailcap::views
