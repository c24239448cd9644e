// Who delayed requests, in words.
#pragma once

#include <string>

#include "analyze/model/study/study.h"

namespace tailcap::report::tail {

// "held by POST /restock", "(GET /stock at stock:9000)", "behind GET /spin", "of cgroup /shop, 30.0 ms of every 100
// ms". Empty: nothing is known.
std::string culprit_text(const model::CulpritStudy& culprit, const model::TextPool& texts);

}  // namespace tailcap::report::tail
