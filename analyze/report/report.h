// `tailcap report`: what a study says, built once and printed as text, as Markdown and as a page. All of them have the
// same sections in the same order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analyze/model/study/figure.h"
#include "analyze/model/study/study.h"
#include "analyze/render/document.h"
#include "analyze/report/words/options.h"

namespace tailcap::report {

// figures: SVG, shown on a page only; courses: of the requests that a page shows in time, ascending.
render::Document report_document(const model::Study& study, const model::RequestTable& table,
                                 const ReportOptions& options, const model::Figures& figures = {},
                                 std::span<const model::Course> courses = {});

std::string text_report(const model::Study& study, const model::RequestTable& table, const ReportOptions& options);
std::string markdown_report(const model::Study& study, const model::RequestTable& table, const ReportOptions& options);
// With the numbers of rows of a page instead of those in options.
std::string html_report(const model::Study& study, const model::RequestTable& table, const model::Figures& figures,
                        const ReportOptions& options, std::span<const model::Course> courses = {});

}  // namespace tailcap::report
