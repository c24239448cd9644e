// The pieces of a masked statement, one after the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

namespace tailcap::formats::sql {

struct SqlPiece {
  enum class Kind : std::uint8_t { end, blank, literal, placeholder, word, name, sign };
  Kind kind = Kind::end;
  std::string_view text;
  std::string_view cast;  // of a literal or a placeholder: ::integer

  bool is(std::string_view sign) const { return kind == Kind::sign && text == sign; }
};

// The pieces of a masked statement. The dialect is not known: masking leaves the signs of literals and comments such
// that both dialects can be read by the same rules.
class SqlReader {
 public:
  explicit SqlReader(std::string_view text) : rest_(text) {}

  SqlPiece next();
  // The next that is not blank.
  SqlPiece next_solid();
  // A number follows without a blank.
  bool before_number() const { return rest_.starts_with('?') || rest_.starts_with(".?"); }

 private:
  using Kind = SqlPiece::Kind;
  static constexpr std::size_t kAll = std::string_view::npos;

  std::string_view take(std::size_t n);
  template <typename Is>
  std::size_t run(std::size_t from, Is is) const {
    while (from < rest_.size() && is(rest_[from])) ++from;
    return from;
  }
  char at(std::size_t i) const { return i < rest_.size() ? rest_[i] : '\0'; }

  SqlPiece read();
  // Behind the text that begins with the quote sign at `from`.
  std::size_t quoted(std::size_t from) const;
  std::size_t cast_size() const;
  // White space and comments from here.
  std::size_t blanks() const;
  // Two dashes before '?' can be two signs of MySQL, and # an operator of PostgreSQL. The text of a masked comment is
  // nothing but '?'.
  std::size_t line_comment(std::size_t begin, std::size_t text, bool certain) const;
  // Those of MySQL do not nest, and when they are masked, no sign of nesting is left in them.
  std::size_t block_comment(std::size_t from) const;

  std::string_view rest_;
  Kind last_ = Kind::end;
  bool begun_ = false;
};

// A word in capitals; empty if it is none of a language.
std::string sql_capitals(std::string_view word);
bool sql_one_of(std::string_view word, std::initializer_list<std::string_view> words);
// Bytes that are no character, or a misleading one, become '?'.
std::string sql_printable(std::string_view text);

}  // namespace tailcap::formats::sql
