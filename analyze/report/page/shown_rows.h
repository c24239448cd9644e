// Which requests a page holds for its script, and of which it holds every fact.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "analyze/model/partition.h"
#include "analyze/model/request.h"
#include "analyze/model/study/study.h"

namespace tailcap::report::page {

inline constexpr std::size_t kDetailed = 5'000;     // requests with every fact
inline constexpr std::size_t kInColumns = 100'000;  // with those that fit into a few bytes

struct ShownRow {
  std::uint32_t row = 0;     // in the table
  std::uint32_t answer = 0;  // the answer that it belongs to, from 1; 0: none
  bool detailed = false;
};

// The request at which a page opens with its other end, what it called, what it waited for and its typical request,
// ascending. Empty: it opens at none.
std::vector<model::ExchangeId> requests_around(const model::Study& study, const model::RequestTable& table,
                                               model::ExchangeId opened);

// Ascending. All of the table where there are no more than kInColumns. answers: by row, as above. The requests `first`
// come first, then those in answers, those with a course and those that failed; the others are spread evenly over the
// recording.
std::vector<ShownRow> shown_rows(const model::RequestTable& table, std::span<const model::Course> courses,
                                 std::span<const std::uint32_t> answers, std::span<const model::ExchangeId> first,
                                 std::size_t detailed, std::size_t in_columns);

}  // namespace tailcap::report::page
