// Places a request among those of its recording.
#pragma once

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"
#include "analyze/report/request/standing.h"

namespace tailcap::report::page {

// study: with its routes and verdicts. Empty: the table does not hold the request.
RequestStanding standing_of(model::ExchangeId id, const model::Study& study, const model::RequestTable& table);

}  // namespace tailcap::report::page
