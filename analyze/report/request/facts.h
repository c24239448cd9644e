// The facts of a request, a line each.
#pragma once

#include <vector>

#include "analyze/model/study/detail.h"
#include "analyze/model/study/study.h"
#include "analyze/report/request/waterfall.h"

namespace tailcap::report {

void add_facts(const model::Detail& detail, const model::Study& study, std::vector<FactLine>& facts);

}  // namespace tailcap::report
