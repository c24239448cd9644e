// Slow requests by what slowed each of them down: one answer may have several causes.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/tail/slow/cohorts.h"
#include "analyze/tail/verdict/account.h"
#include "analyze/tail/verdict/surroundings.h"

namespace tailcap::tail::verdict {

struct CauseGroup {
  std::size_t part = 0;              // index into VerdictParts::parts
  std::vector<std::uint32_t> items;  // the slowest first
};

// Most time first. Requests of one group waited for the same thing most: the same label, and the same call, lock or
// device where it is known. Groups that are too small to be more than chance are left out, and so are their requests.
std::vector<CauseGroup> groups_of(const VerdictParts& account, const std::vector<slow::Item>& items,
                                  const slow::Cohorts& cohorts, const VerdictContext& around);

}  // namespace tailcap::tail::verdict
