#include "analyze/query/later.h"

#include <algorithm>
#include <vector>

#include "analyze/query/field.h"
#include "analyze/query/token.h"

namespace tailcap::query {
namespace {

bool compares(const Token& token) {
  constexpr std::string_view signs[] = {"==", "=", "!=", "<=", "<", ">=", ">", "contains", "matches"};
  return std::find(std::begin(signs), std::end(signs), token.text) != std::end(signs);
}

// The first field of which this holds.
template <class Holds>
std::string first_field(std::string_view expression, Holds holds) {
  std::vector<Token> tokens;
  if (tokenize(expression, tokens)) return {};
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool value = i > 0 && tokens[i - 1].kind != Token::Kind::quoted && compares(tokens[i - 1]);
    if (tokens[i].kind != Token::Kind::word || value) continue;
    if (const auto field = find_field(tokens[i].text); field && holds(*field->column)) return tokens[i].text;
  }
  return {};
}

}  // namespace

std::string later_field(std::string_view expression) {
  return first_field(expression, [](const model::columns::RequestColumn& column) { return column.at_end; });
}

std::string unsettled_field(std::string_view expression) {
  return first_field(expression,
                     [](const model::columns::RequestColumn& column) { return column.at_end || column.whole; });
}

}  // namespace tailcap::query
