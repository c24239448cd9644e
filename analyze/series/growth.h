// How series grow from one text of metrics to the next.
#pragma once

#include <optional>
#include <span>

#include "analyze/model/series/census.h"

namespace tailcap::series {

// Nothing: fewer than two, or all of one time.
std::optional<model::SeriesGrowth> growth_of(std::span<const model::Census> by_time);

}  // namespace tailcap::series
