// The requests that a page shows in time. Which ones is decided by their labels, after the second reading; what may be
// chosen is known before it.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"
#include "analyze/pipeline/wanted.h"

namespace tailcap::pipeline {

// Rows, those of the routes with the most time first.
struct LikelyRows {
  std::vector<std::uint32_t> exemplars;  // may be shown
  std::vector<std::uint32_t> slow;       // may be among the slow ones of their route
};
// The table is settled and has no partitions yet.
LikelyRows likely_rows(const model::RequestTable& table, const Wanted& wanted);

// Whether the courses of all requests can be kept: there are no more requests than these, and their courses, which have
// a stretch for each event at most that concerns the carrier, are bounded by the events and the requests under way at
// once.
bool few_courses(const model::RequestTable& table, std::uint64_t events, std::size_t requests);

// The examples of verdicts, the slowest requests, the exemplars of the first `routes` routes, and the requests that
// held all of them up.
std::vector<model::ExchangeId> shown_exemplars(const model::RequestTable& table, const model::Study& study,
                                               std::size_t routes);

}  // namespace tailcap::pipeline
