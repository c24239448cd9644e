#include "formats/sql/mask.h"

#include <utility>

#include "formats/sql/bytes.h"

namespace tailcap::formats::sql {

namespace {

constexpr std::uint16_t kDeepestComment = 1000;

}  // namespace

void Mask::mask(std::string& piece) {
  for (char& c : piece) {
    if (state_ == State::word && sql_word_byte(c)) continue;  // most bytes: it halves the time
    if (!keeps(c)) c = '?';
  }
}

void Mask::end() { *this = Mask(dialect_); }

bool Mask::hide() {
  state_ = State::hidden;
  return false;
}

bool Mask::open(State state, char quote, Backslash backslash) {
  state_ = state;
  quote_ = quote;
  backslash_ = backslash;
  after_backslash_ = after_high_ = false;
  return true;
}

bool Mask::keeps(char c) {
  switch (state_) {
    case State::hidden:
      return false;
    case State::text:
    case State::text_escape:
      return in_text(c);
    case State::text_quote:
      if (c == quote_) return open(State::text, quote_, backslash_);
      state_ = State::plain;
      return outside(c);
    case State::name:
      if (sql_control(c)) return hide();
      if (c == quote_) state_ = State::name_quote;
      return true;
    case State::name_quote:
      state_ = c == quote_ ? State::name : State::plain;
      return c == quote_ || outside(c);
    case State::line_comment:
      if (sql_control(c)) return hide();
      if (c != '\n' && (c != '\r' || dialect_ == Dialect::mysql)) return false;
      state_ = State::plain;
      return true;
    case State::block_comment:
      return in_block_comment(c);
    case State::dollar_text:
      return in_dollar_text(c);
    default:
      return outside(c);
  }
}

// In the character sets GBK, Big5 and Shift-JIS, a backslash can be the second byte of a character, and escapes
// nothing.
bool Mask::in_text(char c) {
  if (state_ == State::text_escape) {
    if (after_high_ && (c == quote_ || c == '\\')) return hide();
    // With NO_BACKSLASH_ESCAPES, the text of MySQL ends here.
    if (dialect_ == Dialect::mysql && c == quote_) return hide();
    state_ = State::text;
    after_high_ = sql_high(c);
    return false;
  }
  if (c == quote_) {
    if (after_backslash_) return hide();
    state_ = State::text_quote;
    return true;
  }
  if (c == '\\' && backslash_ == Backslash::escapes) {
    state_ = State::text_escape;
    return false;
  }
  after_backslash_ = c == '\\';
  after_high_ = sql_high(c);
  return false;
}

// The signs of comments stay, so that the masked text is read in the same way. Comments of MySQL do not nest. What is
// in its executable ones is SQL to some servers and a comment to others: with a quote in it, its end is unknown.
bool Mask::in_block_comment(char c) {
  if (sql_control(c)) return hide();
  const bool nests = dialect_ == Dialect::postgresql;
  const char last = std::exchange(comment_last_, '\0');
  if (!nests && comment_bytes_ < 2) {
    const bool marked = c == '!' || (comment_bytes_ == 0 && c == '+');
    executable_ = marked;
    comment_bytes_ = comment_bytes_ == 0 && c == 'M' ? 1 : 2;
  }
  if (c == '*') {
    if (nests && last == '/') return ++depth_ < kDeepestComment || hide();
    comment_last_ = '*';
    return true;
  }
  if (c == '/' && last == '*') {
    if (--depth_ == 0) state_ = State::plain;
    return true;
  }
  if (executable_ && std::string_view("'\"`#-/\\").find(c) != std::string_view::npos) return hide();
  if (c != '/' || !nests) return false;
  comment_last_ = '/';
  return true;
}

// What matches the closing tag so far stays: it repeats the opening one.
bool Mask::in_dollar_text(char c) {
  if (c == '$') {
    if (matched_ == tag_size_ + 1)
      state_ = State::plain;
    else
      matched_ = 1;
    return true;
  }
  const bool matches = matched_ > 0 && matched_ <= tag_size_ && c == tag_[matched_ - 1u];
  matched_ = matches ? static_cast<std::uint8_t>(matched_ + 1) : std::uint8_t{0};
  return matches;
}

bool Mask::append_to_tag(char c) {
  if (tag_size_ == kLongestTag) return hide();
  tag_[tag_size_++] = c;
  state_ = State::tag;
  return true;
}

bool Mask::outside(char c) {
  if (sql_control(c)) return hide();
  const bool mysql = dialect_ == Dialect::mysql;
  const State before = std::exchange(state_, State::plain);
  if (sql_digit(c)) return digit(c, before);
  if (sql_letter(c)) return letter(c, before);
  switch (c) {
    case '\'':
      return open(State::text, c, mysql || before == State::escape_prefix ? Backslash::escapes : Backslash::doubtful);
    case '"':
      return open(mysql ? State::text : State::name, c, Backslash::escapes);
    case '`':
      return !mysql || open(State::name, c, Backslash::escapes);
    case '#':
      if (mysql) state_ = State::line_comment;
      return true;
    case '-':
      if (before == State::dash || before == State::dashes)
        state_ = mysql ? State::dashes : State::line_comment;
      else
        state_ = State::dash;
      return true;
    case '/':
      state_ = State::slash;
      return true;
    case '*':
      if (before != State::slash) return true;
      state_ = State::block_comment;
      depth_ = 1;
      comment_last_ = '\0';
      comment_bytes_ = 0;
      executable_ = false;
      return true;
    case '$':
      return dollar(before);
    case '.':
      if (before != State::number && before != State::number_letters) return true;
      state_ = before;
      return false;
    default:
      if (before == State::dashes && c != '\n' && sql_space(c)) state_ = State::line_comment;
      return true;
  }
}

// In PostgreSQL $ is a part of names, but not their first byte. In MySQL it was; newer servers have dollar quotes.
bool Mask::dollar(State before) {
  const bool mysql = dialect_ == Dialect::mysql;
  switch (before) {
    case State::word:
    case State::escape_prefix:
      state_ = State::word;
      return true;
    case State::number:
    case State::number_letters:
      if (mysql) {
        state_ = before;
        return false;
      }
      // Older servers read 1a$$ as 1 and a$$, newer ones as an error, and neither as a quote.
      if (before == State::number_letters) return hide();
      break;
    case State::placeholder:
      if (mysql) return hide();
      break;
    case State::dollar:
    case State::tag:
      if (mysql) return hide();
      matched_ = 0;
      state_ = State::dollar_text;
      return true;
    default:
      break;
  }
  tag_size_ = 0;
  state_ = State::dollar;
  return true;
}

bool Mask::letter(char c, State before) {
  switch (before) {
    case State::number:
    case State::number_letters:
      state_ = State::number_letters;
      return false;
    case State::dollar:
    case State::tag:
      return append_to_tag(c);
    case State::word:
    case State::escape_prefix:
    case State::placeholder:
      state_ = State::word;
      return true;
    default:
      state_ = c == 'e' || c == 'E' ? State::escape_prefix : State::word;
      return true;
  }
}

bool Mask::digit(char c, State before) {
  switch (before) {
    case State::word:
    case State::escape_prefix:
      state_ = State::word;
      return true;
    case State::tag:
      return append_to_tag(c);
    case State::dollar:
      digits_ = 1;
      state_ = State::placeholder;
      return true;
    case State::placeholder:
      state_ = digits_ < kPlaceholderDigits ? State::placeholder : State::number;
      ++digits_;
      return state_ == State::placeholder;
    default:
      state_ = before == State::number_letters ? before : State::number;
      return false;
  }
}

}  // namespace tailcap::formats::sql
