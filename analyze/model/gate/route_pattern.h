// Which routes a pattern means: of limits, gates and conditions.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::model::gate {

// "POST /pay", "/pay", "/api/*"; empty and "*": every route.
inline bool matches_route(std::string_view pattern, std::string_view method, std::string_view route) {
  const auto path = [&](std::string_view p) {
    return p.ends_with('*') ? route.starts_with(p.substr(0, p.size() - 1)) : p == route;
  };
  if (pattern.empty() || pattern == "*" || path(pattern)) return true;
  const auto space = pattern.find(' ');
  return space != pattern.npos && pattern.substr(0, space) == method && path(pattern.substr(space + 1));
}

}  // namespace tailcap::model::gate
