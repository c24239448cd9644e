// The answers with which a report begins.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/render/document.h"
#include "analyze/report/words/options.h"

namespace tailcap::report::tail {

struct Answers {
  render::List list;  // a numbered sentence for each verdict worth reading, with the command that shows its proof
  std::vector<std::uint32_t> routes;  // that the sentences are about, in their order
  std::string rest;                   // how many further ones there are; empty: none
  bool empty() const { return list.items.empty() && rest.empty(); }
};
Answers answers(const model::Study& study, const model::RequestTable& table, const ReportOptions& options);

// Under their heading.  Empty: no request could be
// followed.
render::Document verdicts(const model::Study& study, const model::RequestTable& table, const ReportOptions& options);

}  // namespace tailcap::report::tail
