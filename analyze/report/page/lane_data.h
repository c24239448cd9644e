// What threads, connections and goroutines did, as the script of a page reads it when a request is opened.
#pragma once

#include <span>
#include <string>

#include "analyze/model/request.h"
#include "analyze/model/study/lanes.h"
#include "analyze/model/study/study.h"
#include "analyze/report/page/shown_rows.h"

namespace tailcap::report::page {

// Packed; empty: nothing is known. Where all of it would be larger than kLargestLanes, of the times of fewer requests:
// first those `first`, then those of answers, then the slowest.
std::string lane_data(const model::LaneRecord& record, const model::Study& study, const model::RequestTable& table,
                      std::span<const ShownRow> rows, std::span<const model::ExchangeId> first);

}  // namespace tailcap::report::page
