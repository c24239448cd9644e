// The health of services and dependencies over time: a map on the page, lines of letters elsewhere.
#pragma once

#include <optional>

#include "analyze/model/study/study.h"
#include "analyze/render/document.h"

namespace tailcap::report {

// A row for each, from left to right in time. Unset: there are too few requests.
// episodes: shaded on the map.
std::optional<render::Figure> health_figure(const model::Health& health,
                                            const std::vector<model::Burst>& episodes = {});
// "good", "failing", …
std::string_view health_name(model::HealthState state);
std::vector<std::string_view> health_names();

}  // namespace tailcap::report
