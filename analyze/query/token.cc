#include "analyze/query/token.h"

namespace tailcap::query {
namespace {

bool word_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c & 0x80) != 0 ||
         std::string_view("._-/:*%+{}?@~").find(c) != std::string_view::npos;
}

}  // namespace

std::optional<Misread> tokenize(std::string_view text, std::vector<Token>& tokens) {
  constexpr std::string_view symbols[] = {"==", "!=", "<=", ">=", "&&", "||", "=", "<", ">", "!", "(", ")"};
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i];
    if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      ++i;
      continue;
    }
    Token token{.at = i};
    if (c == '"' || c == '\'') {
      token.kind = Token::Kind::quoted;
      for (++i; i < text.size() && text[i] != c; ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;  // the next one as it is
        token.text += text[i];
      }
      if (i == text.size()) return Misread{token.at, std::string("this ") + c + " is never closed"};
      ++i;
    } else if (word_char(c)) {
      token.kind = Token::Kind::word;
      while (i < text.size() && word_char(text[i])) token.text += text[i++];
    } else {
      token.kind = Token::Kind::symbol;
      for (const std::string_view symbol : symbols) {
        if (!text.substr(i).starts_with(symbol)) continue;
        token.text = symbol;
        break;
      }
      if (token.text.empty()) return Misread{i, std::string("'") + c + "' means nothing here"};
      i += token.text.size();
    }
    tokens.push_back(std::move(token));
  }
  tokens.push_back({.kind = Token::Kind::end, .text = "the end", .at = text.size()});
  return std::nullopt;
}

}  // namespace tailcap::query
