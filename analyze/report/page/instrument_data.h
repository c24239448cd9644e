// What the script of a page works with: requests in columns, their accounts, courses and chains, as compressed JSON.
// script/README.md in analyze/render describes it.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "analyze/model/logs/log_line.h"
#include "analyze/model/study/flame.h"
#include "analyze/model/study/lanes.h"
#include "analyze/model/study/study.h"
#include "analyze/model/study/topology.h"
#include "analyze/report/words/options.h"

namespace tailcap::report::page {

inline constexpr std::size_t kLargestData = 5'500'000;   // bytes, as the page carries it
inline constexpr std::size_t kLargestLanes = 1'400'000;  // likewise

// What it says of requests beside the study and the table.
struct FactsOfRequests {
  std::span<const model::Course> courses{};   // ascending
  const model::Topology* services = nullptr;  // of the table; null: there is no map
  const model::LaneRecord* lanes = nullptr;   // null: there are none
  const model::LogBook* logs = nullptr;       // likewise
  // The functions of a request; unset: stacks of neither were recorded.
  std::function<std::vector<model::RequestFunction>(model::ExchangeId)> functions{};
  bool samples = false, wait_stacks = false;  // were recorded
};

struct InstrumentData {
  std::string requests, lanes;
  std::size_t size() const { return requests.size() + lanes.size(); }
};

// Empty: the table has no requests. Holds fewer requests where they would be larger than kLargestData, and says how
// many; and the lanes of fewer times, those of answers first.
InstrumentData instrument_data(const model::Study& study, const model::RequestTable& table,
                               const ReportOptions& options, const FactsOfRequests& facts);

}  // namespace tailcap::report::page
