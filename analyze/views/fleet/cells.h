// Values in a server's answers. They are no more trusted than a capture: what is no number ends the command.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/export/tab_separated.h"

namespace tailcap::views {

using AnswerRow = std::vector<std::string>;

// Throws std::runtime_error, as the functions below.
[[noreturn]] inline void foreign_answer() {
  throw std::runtime_error(
      "the server answers with something else than a number; its tables are not those of "
      "scripts/clickhouse of this version.");
}

template <class Number>
Number number_of(std::string_view text) {
  Number out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc() || end != text.data() + text.size()) foreign_answer();
  return out;
}

template <class Number>
std::vector<Number> numbers_of(std::string_view text) {
  std::vector<Number> out;
  if (text.size() < 2 || text.front() != '[' || text.back() != ']') foreign_answer();
  text = text.substr(1, text.size() - 2);
  while (!text.empty()) {
    const std::string_view one = text.substr(0, text.find(','));
    out.push_back(number_of<Number>(one));
    text.remove_prefix(std::min(text.size(), one.size() + 1));
  }
  return out;
}

// The columns of a row, in their order.
class AnswerCells {
 public:
  explicit AnswerCells(const AnswerRow& row) : row_(row) {}
  std::string text() { return exports::tab_unescaped(next()); }
  std::uint64_t natural() { return number_of<std::uint64_t>(next()); }
  std::int64_t integer() { return number_of<std::int64_t>(next()); }
  double real() { return number_of<double>(next()); }
  std::vector<double> reals() { return numbers_of<double>(next()); }
  std::vector<std::int64_t> integers() { return numbers_of<std::int64_t>(next()); }
  std::vector<std::uint64_t> naturals() { return numbers_of<std::uint64_t>(next()); }

 private:
  const std::string& next() {
    if (at_ == row_.size()) foreign_answer();
    return row_[at_++];
  }
  const AnswerRow& row_;
  std::size_t at_ = 0;
};

}  // namespace tailcap::views
