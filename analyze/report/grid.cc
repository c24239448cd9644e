#include "analyze/report/grid.h"

#include <algorithm>
#include <numeric>

#include "analyze/report/escape.h"
#include "analyze/report/html_parts.h"
#include "analyze/report/table.h"

namespace tailcap::report {
namespace {

constexpr std::size_t kShortestName = 12, kGap = 2;

// How wide the columns of names may be, so that all fit: the widest give way first.
std::vector<std::size_t> widths_of(const Grid& grid, std::size_t width) {
  std::vector<std::size_t> widths;
  for (const auto& cell : grid.header) widths.push_back(columns(cell));
  for (const auto& row : grid.rows)
    for (std::size_t i = 0; i < row.size() && i < widths.size(); ++i) widths[i] = std::max(widths[i], columns(row[i]));
  const auto all = [&] { return std::accumulate(widths.begin(), widths.end(), kGap * widths.size()); };
  while (all() > width) {
    const auto widest = std::max_element(widths.end() - static_cast<std::ptrdiff_t>(grid.names), widths.end());
    if (grid.names == 0 || *widest <= kShortestName) break;
    --*widest;
  }
  return widths;
}

bool is_name(const Grid& grid, std::size_t column) { return column + grid.names >= grid.header.size(); }

}  // namespace

std::string grid_text(const Grid& grid, std::size_t width) {
  std::string out;
  if (!grid.rows.empty()) {
    const auto widths = widths_of(grid, width);
    std::vector<Column> all;
    for (std::size_t i = 0; i < grid.header.size(); ++i)
      all.push_back({is_name(grid, i) ? Align::left : Align::right, 0});
    Table table(std::move(all), "  ", kGap);
    table.row(grid.header);
    for (const auto& row : grid.rows) {
      std::vector<std::string> cells;
      for (std::size_t i = 0; i < row.size(); ++i)
        cells.push_back(is_name(grid, i) ? shortened(row[i], widths[i]) : row[i]);
      table.row(std::move(cells));
    }
    out += table.text();
  }
  for (const auto& note : grid.notes) out += wrapped("  ", note, width);
  return out;
}

std::string grid_html(const Grid& grid) {
  if (grid.empty()) return {};
  std::string out = element("h2", grid.title) + "\n";
  if (!grid.rows.empty()) {
    const auto attributes = [&](std::size_t column) { return is_name(grid, column) ? "class=\"name\"" : ""; };
    out += "<div class=\"wide\"><table>\n<thead><tr>";
    for (std::size_t i = 0; i < grid.header.size(); ++i) out += element("th", grid.header[i], attributes(i));
    out += "</tr></thead>\n<tbody>\n";
    for (const auto& row : grid.rows) {
      out += "<tr>";
      for (std::size_t i = 0; i < row.size(); ++i) out += element("td", row[i], attributes(i));
      out += "</tr>\n";
    }
    out += "</tbody></table></div>\n";
  }
  for (const auto& note : grid.notes) out += element("p", note, "class=\"soft\"") + "\n";
  return out;
}

std::string grid_markdown(const Grid& grid) {
  if (grid.empty()) return {};
  std::string out = "\n### " + markdown(grid.title) + "\n\n";
  if (!grid.rows.empty()) {
    std::string first = "|", second = "|";
    for (std::size_t i = 0; i < grid.header.size(); ++i) {
      first += " " + markdown(grid.header[i]) + " |";
      second += is_name(grid, i) ? " --- |" : " ---: |";
    }
    out += first + "\n" + second + "\n";
    for (const auto& row : grid.rows) {
      out += "|";
      for (const auto& cell : row) out += " " + markdown(cell) + " |";
      out += "\n";
    }
    if (!grid.notes.empty()) out += "\n";
  }
  for (const auto& note : grid.notes) out += "- " + markdown(note) + "\n";
  return out;
}

}  // namespace tailcap::report
