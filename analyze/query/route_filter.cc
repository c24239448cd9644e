#include "analyze/query/route_filter.h"

namespace tailcap::query {

std::string literal(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

// "GET /users/{}" names a method, too: a route begins with '/', '*' or '('.
std::string route_expression(std::string_view route) {
  const auto space = route.find(' ');
  if (space != route.npos && space + 1 < route.size() && route.front() != '/' && route.front() != '(')
    return "(method == " + literal(route.substr(0, space)) + " && route == " + literal(route.substr(space + 1)) + ")";
  return "route == " + literal(route);
}

bool declares_template(std::string_view route) {
  for (auto open = route.find('{'); open != route.npos; open = route.find('{', open + 1))
    if (const auto close = route.find('}', open); close != route.npos && close > open + 1) return true;
  return false;
}

std::string_view path_in(std::string_view route) {
  const auto space = route.find(' ');
  return space != route.npos && route.front() != '/' ? route.substr(space + 1) : route;
}

}  // namespace tailcap::query
