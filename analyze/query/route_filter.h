// A route as a person writes it, as a filter.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::query {

// A string of the expression language.
std::string literal(std::string_view text);

// "GET /users/{}", or without the method, as the expression that its requests match.
std::string route_expression(std::string_view route);

// Whether it has a named placeholder, "{id}", which declares a template; "{}" is what learned routes show.
bool declares_template(std::string_view route);

// Without the method.
std::string_view path_in(std::string_view route);

}  // namespace tailcap::query
