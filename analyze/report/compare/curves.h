// How the durations of both sides of a comparison are distributed, over each other; on a page only.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "analyze/render/document.h"

namespace tailcap::report {

struct SideCurve {
  std::string side, what;                                      // "base", "all runs"
  const std::vector<std::pair<std::int64_t, double>>* points;  // ns; share of requests that took longer
};

void add_curves(render::Document& out, const std::array<SideCurve, 2>& sides, const std::string& caption);

}  // namespace tailcap::report
