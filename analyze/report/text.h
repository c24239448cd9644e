// The report for a terminal and for an issue tracker. The same study makes the same bytes, everywhere.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/flow/study.h"

namespace tailcap::report {

struct ReportOptions {
  std::string file;         // the capture's name, for the lines that say what to type next
  std::string scope;        // which requests were selected; empty: all
  std::size_t width = 100;  // columns; at least 60
  std::size_t routes = 8;   // routes shown in full, text and Markdown; the others are counted
  std::size_t details = 3;  // routes whose phases are shown
  std::size_t slowest = 10;
};

std::string text_report(const flow::Study& study, const flow::RequestTable& table, const ReportOptions& options);
std::string markdown_report(const flow::Study& study, const flow::RequestTable& table, const ReportOptions& options);

// What was left out, in a sentence: "12 more routes with 1,234 requests: …". Empty: nothing.
std::string left_out_text(const flow::Study& study, std::size_t shown);

}  // namespace tailcap::report
