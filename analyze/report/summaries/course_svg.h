// The p95 of a service by hour, as a small drawing beside its numbers.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/summaries/fleet_study.h"

namespace tailcap::report {

// since: from when on it is drawn in the colour of trouble, ns since 1970; 0: never. Empty: fewer than two hours have a
// p95.
std::string course_svg(const std::vector<model::HealthPoint>& course, std::int64_t since);

}  // namespace tailcap::report
