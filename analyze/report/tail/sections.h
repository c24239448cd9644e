// The tail study as text and as Markdown: sentences for the top, and per route the table behind its sentence.
#pragma once

#include <string>
#include <vector>

#include "analyze/flow/study.h"

namespace tailcap::report::tail {

// What is said of routes, causes first. Those with too few requests share one sentence.
struct Said {
  const flow::RouteStudy* route = nullptr;  // of the study; nullptr: about several
  std::string text;                         // printable; begins with the route's title where there is one
};
// Of the first `routes` routes, served ones first. Empty: nothing was studied.
std::vector<Said> sentences(const flow::Study& study, const flow::TextPool& texts, std::size_t routes);

// What stands under a route's table: what the columns mean, how it was compared, how sure it is. Printable sentences.
std::vector<std::string> notes(const flow::TailStudy& tail, const flow::Study& study);

// The requests to look at: "12.3 (slowest, 53.8 ms) and the typical 9.1 (11.2 ms)".
std::vector<std::string> exemplar_lines(const flow::TailStudy& tail, const flow::RequestTable& table);

// Who held the slow requests up, as far as it is worth a line:
// "waiting for a lock: at 0x7f001234 held by POST /restock, in 12 slow requests, 34.5 ms".
std::vector<std::string> culprit_lines(const flow::TailStudy& tail, const flow::TextPool& texts);

// A route's section; empty: there is nothing to show.
std::string text_section(const flow::RouteStudy& route, const flow::Study& study, const flow::RequestTable& table,
                         std::size_t width);
std::string markdown_section(const flow::RouteStudy& route, const flow::Study& study, const flow::RequestTable& table);

}  // namespace tailcap::report::tail
