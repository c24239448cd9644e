// The routes of some requests, as `tailcap top` shows them.
#pragma once

#include "analyze/model/request.h"
#include "analyze/model/study/route_board.h"

namespace tailcap::views {

// table: rows sorted by their beginning, with routes; those under way have the outcome in_flight. study: what is known
// of losses and of sampling.
model::RouteBoard board_of(const model::RequestTable& table, const model::Study& study, formats::Time from,
                           formats::Time to);

}  // namespace tailcap::views
