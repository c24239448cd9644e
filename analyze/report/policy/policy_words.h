// Numbers and bounds of policies in words. Everything returned is printable().
#pragma once

#include <string>

#include "analyze/model/policy/outcome.h"

namespace tailcap::report {

std::string policy_value_text(const model::policy::Limit& limit, double value);  // "12.3 ms", "0.40 %", "12/s"
std::string limit_text(const model::policy::Limit& limit);                       // "p95 ≥ 250ms"
std::string limits_text(const std::vector<model::policy::Limit>& limits);        // "p95 ≥ 250ms and count ≥ 20"

// "errors 6.10 % > 5 %", "12/s, errors 0 %, p95 1.20 s"; or which of them is not known.
std::string figures_text(const model::policy::WindowFigures& figures);

}  // namespace tailcap::report
