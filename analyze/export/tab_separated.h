// Rows as ClickHouse's format TabSeparatedWithNames reads them: a line with the names of the columns, then one per row.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::exports {

// A text as a value of the format, and back: bytes stay what they are.
std::string tab_escaped(std::string_view text);
std::string tab_unescaped(std::string_view text);
// As a literal of ClickHouse's SQL, with quotes.
std::string sql_quoted(std::string_view text);
// Lines of an answer in the format TabSeparated: values as they are in it, still escaped.
std::vector<std::vector<std::string>> tab_rows(std::string_view answer);

class TabSeparated {
 public:
  // Values are appended to `out`, which the caller may empty between two rows.
  explicit TabSeparated(std::string& out) : out_(out) {}

  void names(std::span<const std::string_view> columns);
  void text(std::string_view value);
  void integer(std::int64_t value);
  void natural(std::uint64_t value);
  void real(double value);
  void null();
  void integer_if(bool known, std::int64_t value) { known ? integer(value) : null(); }
  void texts(std::span<const std::string_view> values);
  void integers(std::span<const std::int64_t> values);
  void reals(std::span<const double> values);
  void end_row();

 private:
  void separate();
  template <class Values, class Append>
  void array(const Values& values, Append append);

  std::string& out_;
  bool begun_ = false;
};

}  // namespace tailcap::exports
