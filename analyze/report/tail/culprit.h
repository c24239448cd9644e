// Who delayed requests, in words.
#pragma once

#include <string>
#include <string_view>

#include "analyze/model/study/study.h"

namespace tailcap::report::tail {

// "held by POST /restock", "(GET /stock at stock:9000)", "behind GET /spin", "of cgroup /shop, 30.0 ms of every 100
// ms". Empty: nothing is known. of: the route that was delayed, as route_name() says it; a holder that is another
// request of it is "another GET /slow".
std::string culprit_text(const model::CulpritStudy& culprit, const model::TextPool& texts, std::string_view of = {});

// "GET /slow": method and route as culprits are named.
std::string route_name(std::string_view method, std::string_view route);

}  // namespace tailcap::report::tail
