// What a verdict on a route takes into account beside the route's own requests.
#pragma once

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"
#include "analyze/tail/slow/links.h"

namespace tailcap::tail::verdict {

struct VerdictContext {
  const model::RequestTable& table;
  const model::Study& study;  // begin, end, quality.preamble
  const slow::Links& links;
};

}  // namespace tailcap::tail::verdict
