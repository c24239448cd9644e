// Lines for a terminal of a given width whose columns line up.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyze/render/lines.h"

namespace tailcap::report {

using render::Align;
using render::bar;
using render::padded;
using render::wrapped;

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

}  // namespace tailcap::report
