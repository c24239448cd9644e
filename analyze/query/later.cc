#include "analyze/query/later.h"

#include <algorithm>
#include <vector>

#include "analyze/query/token.h"

namespace tailcap::query {
namespace {

// Routes are learned from all paths; the other end, the parent and the other attempts may come later; labels and
// handlers need everything that happened meanwhile.
bool later(std::string_view field) {
  constexpr std::string_view names[] = {"route", "handler", "dns", "connect", "tls_handshake", "peer"};
  return std::find(std::begin(names), std::end(names), field) != std::end(names) || field.starts_with("labels.") ||
         field == "parent" || field.starts_with("parent_how") || field.starts_with("parent_confidence") ||
         field.starts_with("parent_alternatives") || field.starts_with("attempt");
}

bool compares(const Token& token) {
  constexpr std::string_view signs[] = {"==", "=", "!=", "<=", "<", ">=", ">", "contains", "matches"};
  return std::find(std::begin(signs), std::end(signs), token.text) != std::end(signs);
}

}  // namespace

std::string later_field(std::string_view expression) {
  std::vector<Token> tokens;
  if (tokenize(expression, tokens)) return {};
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const bool value = i > 0 && tokens[i - 1].kind != Token::Kind::quoted && compares(tokens[i - 1]);
    if (tokens[i].kind == Token::Kind::word && !value && later(tokens[i].text)) return tokens[i].text;
  }
  return {};
}

}  // namespace tailcap::query
