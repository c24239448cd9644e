// What requests waited for, in words.
#pragma once

#include <string>

#include "analyze/model/request.h"
#include "analyze/model/study/verdict.h"

namespace tailcap::report::tail {

// "waiting for another service (GET /stock), there waiting for a lock held by POST /restock, there sleeping"
std::string part_text(const model::VerdictPart& part, const model::RequestTable& table);
// "23.3 ms of it waiting for the disk, and 10.2 ms waiting for a CPU"
std::string parts_text(const model::Verdict& v, const model::RequestTable& table);
// "12 × 246 ms waiting for another service (10.0.0.5:5432); 5 × 350 ms sleeping."
std::string causes_text(const model::Verdict& v, const model::RequestTable& table);

}  // namespace tailcap::report::tail
