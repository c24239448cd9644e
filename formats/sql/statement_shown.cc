#include <algorithm>
#include <array>
#include <utility>

#include "formats/sql/bytes.h"
#include "formats/sql/reader.h"
#include "formats/sql/statement.h"

namespace tailcap::formats::sql {

namespace {

using SqlKind = SqlPiece::Kind;

// Builds what is shown. A list whose elements are literals is cut behind its first one when it closes. Text beyond the
// limit is not kept, but lists that are open can still bring their end below it.
class ShownSql {
 public:
  explicit ShownSql(std::size_t most) : most_(most) {}

  bool full() const { return over() && lists_ == 0; }
  // An operand may follow: a sign before a number belongs to it.
  bool expects_operand() const { return expects_; }

  void add(const SqlPiece& piece) {
    if (piece.kind == SqlKind::blank) {
      blank_ = !out_.empty();
      return;
    }
    if (!in_rows(piece)) add_solid(piece);
  }

  std::string finish() {
    leave_rows();
    if (!over()) return std::move(out_);
    constexpr std::string_view kMore = "…";
    if (most_ < kMore.size()) return {};
    std::size_t cut = most_ - kMore.size();
    while (cut > 0 && (static_cast<unsigned char>(out_[cut]) & 0xc0) == 0x80) --cut;
    while (cut > 0 && out_[cut - 1] == ' ') --cut;
    out_.resize(cut);
    return out_ += kMore;
  }

 private:
  enum class Rows : std::uint8_t { none, values, first, behind, comma, others };
  struct List {
    std::size_t begin = 0;                       // the position of its bracket
    std::size_t first_begin = 0, first_end = 0;  // of its first element
    bool wants_element = true, several = false;
    char close = ')';
  };

  bool over() const { return out_.size() > most_; }

  void append(std::string_view text) {
    if (std::exchange(blank_, false) && !over()) out_ += ' ';
    if (!over()) out_ += text;
  }

  // The rows behind the first one have its form. True: the piece is one of theirs.
  bool in_rows(const SqlPiece& piece) {
    const bool opens = piece.is("("), closes = piece.is(")");
    switch (rows_) {
      case Rows::none:
        if (piece.kind == SqlKind::word && sql_capitals(piece.text) == "VALUES") {
          rows_ = Rows::values;
          more_rows_ = false;
        }
        return false;
      case Rows::values:
        rows_ = opens ? Rows::first : Rows::none;
        row_depth_ = 1;
        return false;
      case Rows::first:
      case Rows::others: {
        const bool others = rows_ == Rows::others;
        if (opens) ++row_depth_;
        if (closes && --row_depth_ == 0) rows_ = Rows::behind;
        return others;
      }
      case Rows::behind:
        if (piece.is(",")) {
          rows_ = Rows::comma;
          return true;
        }
        leave_rows();
        return false;
      case Rows::comma:
        if (opens) {
          rows_ = Rows::others;
          row_depth_ = 1;
          more_rows_ = true;
          blank_ = false;
          return true;
        }
        leave_rows();
        return false;
    }
    return false;
  }

  void leave_rows() {
    const bool blank = std::exchange(blank_, false);
    if (std::exchange(more_rows_, false)) append(", …");
    if (rows_ == Rows::comma) append(",");
    blank_ = blank;
    rows_ = Rows::none;
  }

  void add_solid(const SqlPiece& piece) {
    expects_ = piece.kind == SqlKind::sign && std::string_view("(,=<>[").find(piece.text) != std::string_view::npos;
    switch (piece.kind) {
      case SqlKind::literal:
      case SqlKind::placeholder: {
        const std::size_t begin = next_position();
        append(piece.kind == SqlKind::literal ? "?" : piece.text.substr(0, kPlaceholderDigits + 1));
        if (!piece.cast.empty()) append(sql_printable(piece.cast.substr(0, most_ + 1)));
        return element(begin);
      }
      case SqlKind::word:
        expects_ = sql_one_of(sql_capitals(piece.text),
                              {"SELECT",    "VALUES",  "LIMIT", "OFFSET", "AND",    "OR",   "NOT",     "IN",
                               "LIKE",      "BETWEEN", "WHEN",  "THEN",   "ELSE",   "CASE", "WHERE",   "RETURN",
                               "RETURNING", "DEFAULT", "BY",    "ON",     "HAVING", "SET",  "INTERVAL"});
        break;
      case SqlKind::sign:
        if (piece.text == "(" || piece.text == "[") return open(piece.text[0]);
        if (piece.text == ")" || piece.text == "]") return close(piece.text[0]);
        if (piece.text == "," && lists_ > 0 && !top().wants_element) {
          top().wants_element = true;
          return append(piece.text);
        }
        break;
      default:
        break;
    }
    lists_ = 0;
    append(sql_printable(piece.text.substr(0, most_ + 1)));
  }

  std::size_t next_position() const { return out_.size() + (blank_ && !over() ? 1 : 0); }
  List& top() { return open_[lists_ - 1]; }

  void open(char bracket) {
    if (lists_ == open_.size() || (lists_ > 0 && !top().wants_element)) lists_ = 0;
    List list;
    list.begin = next_position();
    list.close = bracket == '(' ? ')' : ']';
    append({&bracket, 1});
    open_[lists_++] = list;
  }

  void element(std::size_t begin) {
    if (lists_ == 0) return;
    List& list = top();
    if (!list.wants_element) {
      lists_ = 0;
      return;
    }
    list.wants_element = false;
    if (list.first_end == 0) {
      list.first_begin = begin;
      list.first_end = std::max<std::size_t>(out_.size(), 1);
    } else {
      list.several = true;
    }
  }

  void close(char bracket) {
    if (lists_ == 0 || top().close != bracket || top().wants_element) {
      lists_ = 0;
      return append({&bracket, 1});
    }
    const List list = top();
    --lists_;
    blank_ = false;
    if (list.begin < out_.size()) {
      out_.resize(std::min(out_.size(), list.first_end));
      const std::size_t from = list.begin + 1, first = std::min(list.first_begin, out_.size());
      if (first > from) out_.erase(from, first - from);
    }
    if (list.several) append(", …");
    append({&bracket, 1});
    element(list.begin);
  }

  std::size_t most_;
  std::string out_;
  bool blank_ = false, expects_ = true, more_rows_ = false;
  Rows rows_ = Rows::none;
  std::size_t row_depth_ = 0;
  std::array<List, 16> open_{};  // those that hold nothing but literals so far
  std::size_t lists_ = 0;
};

}  // namespace

std::string shown_statement(std::string_view masked, std::size_t most) {
  ShownSql shown(most);
  SqlReader reader(masked);
  for (SqlPiece piece = reader.next(); piece.kind != SqlKind::end && !shown.full(); piece = reader.next()) {
    const bool sign = piece.is("-") || piece.is("+");
    if (!sign || !shown.expects_operand() || !reader.before_number()) shown.add(piece);
  }
  return shown.finish();
}

}  // namespace tailcap::formats::sql
