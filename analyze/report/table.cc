#include "analyze/report/table.h"

#include <algorithm>

#include "analyze/report/escape.h"

namespace tailcap::report {

std::string Table::text() const {
  std::vector<std::size_t> widths;
  for (const auto& column : columns_) widths.push_back(column.width);
  for (const auto& row : rows_)
    for (std::size_t i = 0; !row.across && i < row.cells.size() && i < widths.size(); ++i)
      widths[i] = std::max(widths[i], columns(row.cells[i]));
  std::string out;
  for (const auto& row : rows_) {
    std::string line = indent_;
    if (row.across) {
      line += row.cells[0];
    } else {
      for (std::size_t i = 0; i < row.cells.size() && i < widths.size(); ++i)
        line += std::string(i == 0 ? 0 : gap_, ' ') + padded(row.cells[i], widths[i], columns_[i].align);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

}  // namespace tailcap::report
