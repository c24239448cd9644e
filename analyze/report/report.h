// `tailcap report`: what a study says, built once and printed as text, as Markdown and as a page. All of them have the
// same sections in the same order.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analyze/flow/figure.h"
#include "analyze/flow/study.h"
#include "analyze/render/document.h"

namespace tailcap::report {

struct ReportOptions {
  std::string file;                  // the capture's name, for the lines that say what to type next
  std::string scope;                 // which requests were selected; empty: all
  std::size_t width = 100;           // columns of the text
  std::size_t routes = 8;            // routes shown; the others are counted
  std::size_t sentences = SIZE_MAX;  // of the routes shown, those with a sentence at the top
  std::size_t details = 3;           // routes whose slow requests are compared with typical ones
  std::size_t slowest = 10;
};

inline constexpr std::size_t kRoutesInPage = 50;    // --json has them all
inline constexpr std::size_t kSectionsInPage = 12;  // routes with their plots and comparison
inline constexpr std::size_t kSlowestInPage = 25;

// figures: SVG, shown on a page only; courses: of the requests that a page shows in time, ascending.
render::Document report_document(const flow::Study& study, const flow::RequestTable& table,
                                 const ReportOptions& options, const flow::Figures& figures = {},
                                 std::span<const flow::Course> courses = {});

std::string text_report(const flow::Study& study, const flow::RequestTable& table, const ReportOptions& options);
std::string markdown_report(const flow::Study& study, const flow::RequestTable& table, const ReportOptions& options);
// With the numbers of rows of a page instead of those in options.
std::string html_report(const flow::Study& study, const flow::RequestTable& table, const flow::Figures& figures,
                        const ReportOptions& options, std::span<const flow::Course> courses = {});

}  // namespace tailcap::report
