// Host problems: findings in a sentence each, then the figures; as text and as JSON.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/study/node_study.h"

namespace tailcap::report {

struct NodeFinding {
  std::string_view kind;  // "short_lived", "oom_kill", …
  std::string text;       // a sentence, printable
  std::uint64_t count = 0;
};

// The worst first.
std::vector<NodeFinding> node_findings(const model::NodeStudy& study);
// The facts that were not recorded, in words.
std::vector<std::string_view> not_recorded(const model::NodeStudy& study);
// The host problems that were recorded and did not occur.
std::vector<std::string_view> not_seen(const model::NodeStudy& study);

std::string diag_text(const model::NodeStudy& study, const std::string& file, std::size_t width);
std::string diag_json(const model::NodeStudy& study);
std::string diag_schema();  // of it

}  // namespace tailcap::report
