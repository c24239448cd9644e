// Requests that a page shows in time: what each waited for and who was behind it, the requests around it, and what its
// processes did meanwhile.
#pragma once

#include <span>
#include <vector>

#include "analyze/model/study/lanes.h"
#include "analyze/model/study/study.h"
#include "analyze/render/document.h"
#include "analyze/report/words/options.h"

namespace tailcap::report::page {

inline constexpr std::size_t kInTime = 10;

// Examples of the answers first, then the slowest requests; at most `most`, of those whose course is known.
std::vector<model::ExchangeId> chosen(const model::Study& study, const model::RequestTable& table,
                                      std::span<const model::Course> courses, const ReportOptions& options,
                                      std::size_t most);

// A foldout for each of options.in_time. Empty: there are none.
render::Document in_time(const model::Study& study, const model::RequestTable& table, const ReportOptions& options,
                         std::span<const model::Course> courses, std::span<const model::LanesAround> around);

}  // namespace tailcap::report::page
