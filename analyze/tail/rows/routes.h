// Routes: request targets with what varies from request to request replaced by {}.
//
// A segment becomes {} when it is a number, a UUID, a long hexadecimal number or a token (long, letters and digits
// mixed), or one of very many names in its place. Templates of the user come first and show as written. The query is
// cut, nothing is decoded. The method of an RPC is a name in all its parts, and its own route.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/wire/findings.h"

namespace tailcap::tail {

inline constexpr std::string_view kOtherRoute = "(other)";

// "/users/{id}" matches /users and one more segment; "{name...}" or "*" as the last segment matches all that follow.
class RouteTemplate {
 public:
  // Throws std::runtime_error if it cannot match anything: it must begin with '/'.
  explicit RouteTemplate(std::string text);
  bool matches(std::string_view path) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::vector<std::string> segments_;  // empty: any one
  bool open_end_ = false;
};

// The path of a request target: origin form as it is, absolute form without scheme and authority, both without the
// query and fragment. "*" and CONNECT's authority stay as they are.
std::string_view path_of(std::string_view target);

// Replaces what varies.
std::string learned_route(std::string_view path);
bool varies(std::string_view segment);

// More different names than this below one parent are no names but values: they become {}, too.
inline constexpr std::size_t kMaxSiblings = 100;

// Sets the route of every row. At most `limit` pairs of method and learned route are kept, those with most requests;
// the others become kOtherRoute and are counted as Finding::route_overflow. The user's templates are never folded.
// Depends on the set of rows only, not on their order.
void assign_routes(model::RequestTable& table, const std::vector<RouteTemplate>& templates, std::size_t limit,
                   model::Findings& findings);

}  // namespace tailcap::tail
