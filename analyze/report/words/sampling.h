// What is said of recordings of a part of all connections.
#pragma once

#include <string>

#include "analyze/model/study/study.h"

namespace tailcap::report {

// "≈ 16,000", without its interval
std::string approximate_text(const model::Estimate& estimate);
// "14,800–17,300"; empty: it has none
std::string interval_text(const model::Estimate& estimate);
// "≈ 16,000 in all (95 % interval 14,800–17,300)", or why there is no interval
std::string whole_text(const model::Estimate& estimate);
// "1 of 16 connections is recorded (seed 42)"
std::string sampling_text(const model::Sampling& sampling);
// What recording might cost, and by which steps it kept to that.
std::string budget_line(const model::Budget& budget);
// sampling_text(), and what that means for the numbers.
std::string sampling_line(const model::Quality& quality);
// "12/s"; of a sample "≈ 190/s in all"
std::string route_rate_text(const model::RouteStudy& route);

}  // namespace tailcap::report
