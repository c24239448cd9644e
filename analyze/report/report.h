// `tailcap report`: what a study says, built once and printed as text, as Markdown and as a page. All of them have the
// same sections in the same order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analyze/model/figure/figure.h"
#include "analyze/model/study/lanes.h"
#include "analyze/model/study/study.h"
#include "analyze/render/document.h"
#include "analyze/report/page/instrument_data.h"
#include "analyze/report/words/options.h"

namespace tailcap::report {

// What a page shows beside the study.
struct PageParts {
  model::PlotSet figures;                  // SVG
  std::span<const model::Course> courses;  // of requests that may be shown in time, ascending
  std::vector<model::LanesAround> around;  // of those that are
  page::FactsOfRequests facts{};           // but for courses
  std::optional<render::Details> opened;   // of ReportOptions::opened: all that was recorded about it
};

render::Document report_document(const model::Study& study, const model::RequestTable& table,
                                 const ReportOptions& options, const PageParts& parts = {});

std::string text_report(const model::Study& study, const model::RequestTable& table, const ReportOptions& options);
std::string markdown_report(const model::Study& study, const model::RequestTable& table, const ReportOptions& options);
inline constexpr std::size_t kLargestPage = 2'000'000;  // bytes

// The requests that a page shows in time.
std::vector<model::ExchangeId> requests_in_time(const model::Study& study, const model::RequestTable& table,
                                                const ReportOptions& options, std::span<const model::Course> courses);

// With the numbers of rows of a page instead of those in options. Shows fewer routes and requests where the page would
// be larger than kLargestPage, and says so. Requests for the page's script (page/instrument_data.h) can double that,
// and more.
std::string html_report(const model::Study& study, const model::RequestTable& table, const PageParts& parts,
                        const ReportOptions& options);

}  // namespace tailcap::report
