// The health of services and dependencies over time: a map on the page, lines of letters elsewhere.
#pragma once

#include <optional>

#include "analyze/model/study/study.h"
#include "analyze/render/document.h"
#include "analyze/report/json/json_writer.h"

namespace tailcap::report {

// A row for each, from left to right in time. Unset: there are too few requests.
// episodes: shaded on the map.
std::optional<render::Figure> health_figure(const model::Health& health,
                                            const std::vector<model::Burst>& episodes = {});
void append_health(JsonWriter& json, const model::Study& study);

}  // namespace tailcap::report
