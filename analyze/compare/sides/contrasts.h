// The numbers of one route on both sides, with intervals.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "analyze/compare/sides/between.h"
#include "analyze/model/difference/difference.h"
#include "analyze/model/gate/run.h"

namespace tailcap::compare {

// Over all numbers of a kind that were compared (Holm): times, counts and errors, functions.
inline constexpr double kDifferenceLevel = 0.02;

struct RoutePair {
  std::array<const model::gate::Run*, 2> runs;
  std::array<const model::gate::RouteRun*, 2> routes;
};

// Fills metrics, labels, callees and functions; nothing is marked as changed yet.
void contrast_route(const RoutePair& pair, const Surroundings& around, model::difference::RouteDifference& out);

// Marks what changed, over all routes together, and says what could have been found.
void mark_changes(std::vector<model::difference::RouteDifference>& routes);

}  // namespace tailcap::compare
