// Calls that a route makes only since some moment: a deploy, a reload, a switch.
#pragma once

#include <optional>
#include <vector>

#include "analyze/model/study/verdict.h"
#include "analyze/tail/slow/items.h"
#include "analyze/tail/verdict/surroundings.h"

namespace tailcap::tail::verdict {

// The call that takes most time of those that no request before a moment made and most since then did. items: of one
// route, in order of start. Requests around the moment may be of both kinds where several processes serve.
std::optional<model::NewCalls> new_calls(const std::vector<slow::Item>& items, const VerdictContext& around);

}  // namespace tailcap::tail::verdict
