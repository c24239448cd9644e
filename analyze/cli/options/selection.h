// Which requests are meant: the same options in all commands that take them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analyze/cli/options/command_line.h"
#include "analyze/pipeline/pipeline.h"

namespace tailcap::cli {

struct Selection {
  std::vector<std::string> routes;  // --route: as printed, with or without the method; {name} declares a template, too
  std::vector<std::string> templates;  // --route-template
  std::string from, to, around;        // "10s", "1500ms", or a time of day: "2026-03-01T12:34:56Z"
  std::vector<std::string> filters;    // --where
  std::string role;                    // "server", "client"
  std::string status;                  // "404", "5xx"
  std::size_t max_routes = pipeline::kMaxRoutes;

  bool empty() const;  // all requests are meant
};

// "Which requests?", and "How are routes made?".
void add_selection(CommandLine& line, Selection& selection, const char* question = "Which requests?");
void add_routes(CommandLine& line, Selection& selection);

// The requests chosen follow from what was recorded until they were over, not from the rest of the capture, as routes
// do.
// clocks_known: what times of day mean is known. It follows from all readings of the clocks.
bool decided_early(const Selection& selection, bool clocks_known = false);

// Throws UsageError or query::FilterError.
pipeline::Options options_of(const Selection& selection);

// The same in words: "requests of route GET /users/{}, that began at or after 10s". Empty: everything. printable().
std::string scope_text(const Selection& selection);

// "90", "10s", "1500ms", "2m" after the start; "2026-03-01T12:34:56.5Z" or "2026-03-01 12:34:56" in UTC.
pipeline::Moment moment_of(const std::string& text);
// Throws UsageError where both are given and nothing can lie between them.
void refuse_empty_range(const std::string& from, const std::string& to);

}  // namespace tailcap::cli
