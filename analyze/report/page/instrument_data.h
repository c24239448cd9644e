// What the script of a page works with: requests in columns, their accounts, courses and chains, as compressed JSON.
// script/README.md in analyze/render describes it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "analyze/model/study/study.h"
#include "analyze/report/words/options.h"

namespace tailcap::report::page {

inline constexpr std::size_t kLargestData = 5'500'000;  // bytes, as the page carries it

// Empty: the table has no requests. Holds fewer requests where it would be larger than kLargestData, and says how many.
std::string instrument_data(const model::Study& study, const model::RequestTable& table, const ReportOptions& options,
                            std::span<const model::Course> courses);

}  // namespace tailcap::report::page
