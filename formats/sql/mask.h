// Masks the literals of SQL, in place, in pieces that are cut anywhere.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tailcap::formats::sql {

enum class Dialect : std::uint8_t {
  postgresql,  // "x" is a name, $tag$ quotes, -- and /* nested */ comments, E'\''
  mysql,       // "x" is a string, `x` a name, a backslash escapes or, before a quote, is doubtful, # and -- comments
};

class Mask {
 public:
  explicit Mask(Dialect dialect) : dialect_(dialect) {}
  // The next bytes of the statement. Literals (strings, numbers, bits, dollar quotes) and the text of comments become
  // '?', one for each byte; names, keywords, signs, placeholders and the quotes' own signs stay as they are. What could
  // be read in two ways hides everything behind it.
  void mask(std::string& piece);
  // The statement ends; the next is another one.
  void end();

 private:
  // What the last byte belongs to, or which sign it is if the next one can make it part of a longer one.
  enum class State : std::uint8_t {
    plain,          // white space, a sign, the end of a text
    word,           // a name without quotes, or a keyword
    escape_prefix,  // the word E: E'…'
    number,
    number_letters,  // 1e5, 0xff, and names of MySQL that begin with a digit
    dash,
    dashes,  // -- of MySQL; a comment only before white space
    slash,
    dollar,
    placeholder,  // $1
    tag,          // $body of $body$…$body$
    text,
    text_escape,  // behind the backslash
    text_quote,   // behind a quote sign: the end of the text, or the first of two
    name,
    name_quote,
    line_comment,
    block_comment,
    dollar_text,
    hidden,
  };
  // How a text is read that holds a backslash.
  enum class Backslash : std::uint8_t { escapes, doubtful };
  static constexpr std::size_t kLongestTag = 24;

  bool keeps(char c);
  bool outside(char c);
  bool dollar(State before);
  bool letter(char c, State before);
  bool digit(char c, State before);
  bool in_text(char c);
  bool in_dollar_text(char c);
  bool in_block_comment(char c);
  bool append_to_tag(char c);
  bool open(State state, char quote, Backslash backslash);
  bool hide();

  Dialect dialect_;
  State state_ = State::plain;
  char quote_ = 0;
  Backslash backslash_ = Backslash::doubtful;
  bool after_backslash_ = false;    // a doubtful one
  bool after_high_ = false;         // in a text, behind a byte above 7F
  bool executable_ = false;         // the comment is /*! or /*+ of MySQL
  char comment_last_ = 0;           // '*' or '/', which the next byte can make a sign of
  std::uint8_t comment_bytes_ = 0;  // 0 and 1: none and M of /*M!
  std::uint8_t digits_ = 0;         // of the placeholder
  std::uint8_t tag_size_ = 0;
  std::uint8_t matched_ = 0;  // bytes of the closing $tag$, the dollar included
  std::uint16_t depth_ = 0;   // of comments
  std::array<char, kLongestTag> tag_{};
};

}  // namespace tailcap::formats::sql
