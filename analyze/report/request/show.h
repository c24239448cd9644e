// `tailcap show`: one request, on the terminal and as a page.
#pragma once

#include <string>

#include "analyze/model/study/detail.h"
#include "analyze/model/study/lanes.h"
#include "analyze/model/study/study.h"
#include "analyze/render/document.h"
#include "analyze/report/request/standing.h"
#include "analyze/report/words/options.h"

namespace tailcap::report {

// With what its texts and its place among others need.
struct ShownRequest {
  const model::Detail& detail;
  const model::Study& study;
  const model::RequestTable& table;  // holds the texts of both ends' rows
  RequestStanding standing{};
};

std::string text_show(const model::Detail& detail, const model::Study& study, const ReportOptions& options,
                      const RequestStanding& standing = {});
std::string markdown_show(const model::Detail& detail, const model::Study& study, const ReportOptions& options,
                          const RequestStanding& standing = {});
// All of it as a foldout of a page, open. around: what its processes did meanwhile.
render::Details page_show(const model::Detail& detail, const model::Study& study, const model::Lanes& around,
                          const RequestStanding& standing = {});
// Every fact, one line. table: holds the texts of both rows.
std::string json_show(const model::Detail& detail, const model::Study& study, const model::RequestTable& table);
std::string show_schema();  // of it

}  // namespace tailcap::report
