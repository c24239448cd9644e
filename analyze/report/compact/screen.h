// The first screen of a report: what fits into a terminal of 24 lines, above the prompt. Everything else is in the full
// report.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/model/study/study.h"
#include "analyze/model/study/topology.h"
#include "analyze/report/words/options.h"

namespace tailcap::report::compact {

inline constexpr std::size_t kLines = 23;

// options.width: columns, at least 60. options.plain: in ASCII, as far as it is tailcap that chooses the characters.
std::string screen(const model::Study& study, const model::RequestTable& table, const model::Topology& topology,
                   const ReportOptions& options);

}  // namespace tailcap::report::compact
