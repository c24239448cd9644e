// One incident, one answer: what made requests of one route slow may have happened in the service behind it.
#pragma once

#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"
#include "analyze/tail/slow/links.h"

namespace tailcap::tail::verdict {

// Requests without an answer that the end of the recording explains are said with those that ended, where there is an
// answer about them.
void join_unanswered(std::vector<model::Verdict>& all);

// An answer about callers becomes a part of the answer about the requests that they waited for: the deepest recorded.
void join_callers(const model::RequestTable& table, const slow::Links& links, const model::Study& study,
                  std::vector<model::Verdict>& all);

}  // namespace tailcap::tail::verdict
