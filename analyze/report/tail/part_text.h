// What requests waited for, in words.
#pragma once

#include <string>
#include <string_view>

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"
#include "analyze/model/study/verdict.h"

namespace tailcap::report::tail {

// "waiting for another service (GET /stock), which was waiting for a lock held by POST /restock, which was sleeping"
// own: the route that was delayed (route_name()), where a holder can be another request of it.
std::string part_text(const model::VerdictPart& part, const model::RequestTable& table, std::string_view own = {});
// "23.3 ms of this is spent waiting for the disk, and 10.2 ms is spent waiting for a CPU"
std::string parts_text(const model::Verdict& v, const model::Study& study, const model::RequestTable& table,
                       std::string_view of = " of this");
std::string_view spent_text(model::Label label);  // "is spent ", "is "
// "12 × 246 ms waiting for another service (10.0.0.5:5432); 5 × 350 ms sleeping."
std::string causes_text(const model::Verdict& v, const model::Study& study, const model::RequestTable& table);

}  // namespace tailcap::report::tail
