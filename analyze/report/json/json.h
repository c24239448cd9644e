// The report for machines. docs/JSON.md describes every name; the same study makes the same bytes.
#pragma once

#include <string>

#include "analyze/flow/study.h"

namespace tailcap::report {

// Raised when a name changes its meaning or goes away; new names do not raise it.
inline constexpr std::int64_t kJsonSchema = 2;

// One line with its end.
std::string json_report(const flow::Study& study, const flow::RequestTable& table);

}  // namespace tailcap::report
