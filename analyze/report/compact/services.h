// Which service calls which, in a line: "nginx → python3 → node [answer 1]".
#pragma once

#include <map>
#include <string>
#include <vector>

#include "analyze/model/study/topology.h"

namespace tailcap::report::compact {

// Services by their distance from those that no other one calls, `arrow` between distances. answers: numbers of answers
// that begin in a service, by the name of its process.
std::string services_text(const model::Topology& topology,
                          const std::map<std::string, std::vector<std::size_t>>& answers, std::string_view arrow);

}  // namespace tailcap::report::compact
