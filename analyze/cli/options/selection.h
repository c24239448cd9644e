// Which requests are meant: the options that `tailcap report` and `tailcap requests` share.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analyze/pipeline/pipeline.h"

namespace tailcap::cli {

struct Selection {
  std::vector<std::string> routes;  // --route: as printed, with or without the method; {name} declares a template, too
  std::vector<std::string> templates;  // --route-template
  std::string from, to;                // "10s", "1500ms", or a time of day: "2026-03-01T12:34:56Z"
  std::vector<std::string> filters;    // -Y
  std::string by;                      // --by: a header field
  std::string role;                    // "server", "client"
  std::size_t max_routes = pipeline::kMaxRoutes;
};

// Throws UsageError or query::FilterError.
pipeline::Options options_of(const Selection& selection);

// The same in words: "requests of route GET /users/{}, begun at or after 10s". Empty: everything. printable().
std::string scope_text(const Selection& selection);

// "90", "10s", "1500ms", "2m" after the start; "2026-03-01T12:34:56.5Z" or "2026-03-01 12:34:56" in UTC.
pipeline::Moment moment_of(const std::string& text);
// Throws UsageError where both are given and nothing can lie between them.
void refuse_empty_range(const std::string& from, const std::string& to);

class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace tailcap::cli
