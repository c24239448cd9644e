// The text of a gnuplot script: numbers and quoted strings only.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace tailcap::plot {

// A gnuplot string: single quotes, in which gnuplot replaces nothing; misleading characters and bytes that are no
// UTF-8 become '?', at most `longest` characters, the middle left out.
std::string quoted(std::string_view text, std::size_t longest = 60);

// A number as gnuplot reads it, the same everywhere.
std::string number(double value);

// A named block of data: `$name << EOD … EOD`.
class Data {
 public:
  explicit Data(std::string name) : name_(std::move(name)) {}
  void row(const std::vector<double>& values);
  void gap() { text_ += "\n"; }  // a curve is interrupted here
  bool empty() const { return rows_ == 0; }
  std::size_t rows() const { return rows_; }
  const std::string& name() const { return name_; }
  std::string text() const { return name_ + " << EOD\n" + text_ + "EOD\n"; }

 private:
  std::string name_, text_;
  std::size_t rows_ = 0;
};

// Ticks of a logarithmic axis of seconds: ('10 µs' 1e-05, '100 µs' 0.0001, …), all decades within [low, high], and
// more between them the fewer there are.
std::string duration_ticks(double low, double high);

// The legend below the axes: `rows` lines of at most `columns` entries, clear of the axis' title. For a chart that is
// `height` pixels high, with the terminal's 12 point font.
std::string legend_below(std::size_t rows, std::size_t columns, unsigned height);

// A unit for a linear axis of seconds that reaches to `high`: "ms" and 1e3.
struct TimeUnit {
  std::string_view name;
  double per_second;
};
TimeUnit unit_for(double high);

}  // namespace tailcap::plot
