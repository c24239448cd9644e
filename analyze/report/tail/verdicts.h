// The answers with which a report begins.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/render/document.h"
#include "analyze/report/words/options.h"

namespace tailcap::report::tail {

struct Answers {
  render::List list;  // a numbered sentence for each verdict worth reading, with the command that shows its proof
  std::vector<std::uint32_t> routes;  // that the sentences are about, in their order
  std::vector<std::size_t> verdicts;  // index in Study::verdicts of each of the first sentences; the others are mishaps
  std::string calm;                   // that nothing is wrong, where the sentences are notes; empty: something is
  std::size_t hidden = 0;             // verdicts worth reading for which there is no room
  std::string rest;                   // about routes without an answer of their own; empty: nothing
  bool empty() const { return list.items.empty() && rest.empty(); }
  std::string rest_text() const;  // with the hidden ones
};
Answers answers(const model::Study& study, const model::RequestTable& table, const ReportOptions& options);

// Under their heading. Empty: no request could be followed.
render::Document verdicts(const model::Study& study, const model::RequestTable& table, const ReportOptions& options);

// When the slow requests of the answers came: of those about a route and about the machine, or, without a route, of
// those that were incidents and did not just happen again and again.
std::vector<model::Burst> episodes(const model::Study& study, std::optional<std::size_t> route);

std::string answers_title(const model::Study& study);  // "What was slow, and why"
std::string verdict_anchor(std::size_t number);        // from 1

}  // namespace tailcap::report::tail
