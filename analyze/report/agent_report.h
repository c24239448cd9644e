// `tailcap report --format agent`: the answers, their evidence and what to run next, short enough to be pasted into a
// chat or read by a program that pays by the word.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/model/study/study.h"
#include "analyze/report/words/options.h"

namespace tailcap::report {

// About 2,000 tokens of Markdown.
inline constexpr std::size_t kAgentBytes = 8000;

// At most kAgentBytes, however large the study: what matters less is left out, and that is said.
std::string agent_report(const model::Study& study, const model::RequestTable& table, const ReportOptions& options);

}  // namespace tailcap::report
