#include "formats/sql/reader.h"

#include <algorithm>

#include "formats/printable.h"
#include "formats/sql/bytes.h"
#include "formats/utf8.h"

namespace tailcap::formats::sql {

SqlPiece SqlReader::next() {
  SqlPiece piece = read();
  if (piece.kind == Kind::literal || piece.kind == Kind::placeholder) piece.cast = take(cast_size());
  last_ = piece.kind;
  if (piece.kind != Kind::blank) begun_ = true;
  return piece;
}

SqlPiece SqlReader::next_solid() {
  SqlPiece piece = next();
  while (piece.kind == Kind::blank) piece = next();
  return piece;
}

std::string_view SqlReader::take(std::size_t n) {
  n = std::min(n, rest_.size());
  const std::string_view taken = rest_.substr(0, n);
  rest_.remove_prefix(n);
  return taken;
}

SqlPiece SqlReader::read() {
  if (rest_.empty()) return {};
  if (const std::size_t n = blanks(); n > 0) return {Kind::blank, take(n), {}};
  const char c = rest_[0];
  const auto literal = [this](std::size_t n) { return SqlPiece{Kind::literal, take(n), {}}; };
  const auto mark = [](char x) { return x == '?'; };
  if (c == '\'') return literal(quoted(0));
  if (c == '"') {
    const std::size_t n = quoted(0);
    const bool masked = std::all_of(rest_.begin() + 1, rest_.begin() + static_cast<std::ptrdiff_t>(n),
                                    [](char x) { return x == '?' || x == '"'; });
    return {masked ? Kind::literal : Kind::name, take(n), {}};
  }
  if (c == '`') {
    if (const std::size_t n = quoted(0); n > 1 && rest_[n - 1] == '`') return {Kind::name, take(n), {}};
  }
  if (c == '?') return literal(run(0, mark));
  if (c == '.' && at(1) == '?' && last_ != Kind::word && last_ != Kind::name) return literal(run(1, mark));
  if (sql_digit(c)) return literal(run(0, [](char x) { return sql_word_byte(x) || x == '.'; }));
  if (c == '$') {
    if (sql_digit(at(1))) return {Kind::placeholder, take(run(1, sql_digit)), {}};
    const std::size_t tag = run(1, [](char x) { return sql_letter(x) || sql_digit(x); });
    if (at(tag) == '$') {
      const std::size_t close = rest_.find(rest_.substr(0, tag + 1), tag + 1);
      return literal(close == kAll ? kAll : close + tag + 1);
    }
    if (tag > 1) return {Kind::word, take(tag), {}};
  }
  if (sql_letter(c)) {
    const std::size_t n = run(0, sql_word_byte);
    if (at(n) == '\'' && (c == '_' || (n == 1 && std::string_view("eEnNbBxX").find(c) != kAll)))
      return literal(quoted(n));
    if (n == 1 && (c == 'u' || c == 'U') && at(1) == '&' && at(2) == '\'') return literal(quoted(2));
    return {Kind::word, take(n), {}};
  }
  return {Kind::sign, take(1), {}};
}

std::size_t SqlReader::quoted(std::size_t from) const {
  const char quote = rest_[from];
  std::size_t end = rest_.find(quote, from + 1);
  while (end != kAll && at(end + 1) == quote) end = rest_.find(quote, end + 2);
  return end == kAll ? rest_.size() : end + 1;
}

std::size_t SqlReader::cast_size() const {
  if (!rest_.starts_with("::") || !sql_letter(at(2))) return 0;
  std::size_t n = run(2, sql_word_byte);
  while (at(n) == '[' && at(n + 1) == ']') n += 2;
  return n;
}

std::size_t SqlReader::blanks() const {
  std::size_t n = 0;
  while (n < rest_.size()) {
    const std::size_t before = n;
    n = run(n, sql_space);
    if (at(n) == '-' && at(n + 1) == '-')
      n = line_comment(n, n + 2, at(n + 2) != '?');
    else if (at(n) == '#')
      n = line_comment(n, n + 1, !begun_);
    else if (at(n) == '/' && at(n + 1) == '*')
      n = block_comment(n + 2);
    if (n == before) break;
  }
  return n;
}

std::size_t SqlReader::line_comment(std::size_t begin, std::size_t text, bool certain) const {
  const std::size_t marks = run(text, [](char c) { return c == '?'; });
  const bool whole = marks >= rest_.size() || rest_[marks] == '\n' || rest_[marks] == '\r';
  if (!certain && !whole) return begin;
  return run(marks, [](char c) { return c != '\n' && c != '\r'; });
}

std::size_t SqlReader::block_comment(std::size_t from) const {
  for (std::size_t depth = 1; from < rest_.size() && depth > 0;) {
    const bool opens = rest_[from] == '/' && at(from + 1) == '*';
    const bool closes = rest_[from] == '*' && at(from + 1) == '/';
    if (opens) ++depth;
    if (closes) --depth;
    from += opens || closes ? 2 : 1;
  }
  return std::min(from, rest_.size());
}

std::string sql_capitals(std::string_view word) {
  constexpr std::size_t kLongestKeyword = 32;
  if (word.size() > kLongestKeyword) return {};
  std::string out(word);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    if ((c < 'A' || c > 'Z') && c != '_') return {};
  }
  return out;
}

bool sql_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::string sql_printable(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character c = first_character(text);
    if (c.code == kNoCharacter || misleading(c.code))
      out += '?';
    else
      out += text.substr(0, c.length);
    text.remove_prefix(c.length);
  }
  return out;
}

}  // namespace tailcap::formats::sql
