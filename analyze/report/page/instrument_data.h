// What the script of a page works with: requests in columns, their accounts, courses and chains, as compressed JSON.
// script/README.md in analyze/render describes it.
#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "analyze/model/study/study.h"
#include "analyze/model/study/topology.h"
#include "analyze/report/words/options.h"

namespace tailcap::report::page {

inline constexpr std::size_t kLargestData = 5'500'000;  // bytes, as the page carries it

// What it says of requests beside the study and the table.
struct FactsOfRequests {
  std::span<const model::Course> courses;     // ascending
  const model::Topology* services = nullptr;  // of the table; null: there is no map
};

// Empty: the table has no requests. Holds fewer requests where it would be larger than kLargestData, and says how many.
std::string instrument_data(const model::Study& study, const model::RequestTable& table, const ReportOptions& options,
                            const FactsOfRequests& facts);

}  // namespace tailcap::report::page
