// Lines for a terminal of a given width: columns that line up, paragraphs that wrap.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace tailcap::report {

enum class Align : std::uint8_t { left, right };

struct Column {
  Align align = Align::left;
  std::size_t width = 0;  // least width; 0: as wide as its widest cell
};

class Table {
 public:
  explicit Table(std::vector<Column> columns, std::string indent = "", std::size_t gap = 2)
      : columns_(std::move(columns)), indent_(std::move(indent)), gap_(gap) {}
  void row(std::vector<std::string> cells) { rows_.push_back({std::move(cells), false}); }
  // A line across all columns, not counted for their width.
  void line(std::string text) { rows_.push_back({{std::move(text)}, true}); }
  std::string text() const;

 private:
  struct Row {
    std::vector<std::string> cells;
    bool across = false;
  };
  std::vector<Column> columns_;
  std::string indent_;
  std::size_t gap_;
  std::vector<Row> rows_;
};

// text broken at spaces; `first` stands before the first line, as many spaces as it is wide before the others.
// A word wider than the line is not broken: an address or a path stays in one piece.
std::string wrapped(std::string_view first, std::string_view text, std::size_t width);

std::string padded(std::string text, std::size_t width, Align align = Align::left);

// A bar of `width` columns, filled by share (0 to 1) in eighths.
std::string bar(double share, std::size_t width);

}  // namespace tailcap::report
