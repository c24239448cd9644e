#include "analyze/report/words/grid.h"

namespace tailcap::report {

render::Document grid_blocks(const Grid& grid) {
  using Kind = render::Column::Kind;
  render::Document out;
  if (!grid.rows.empty()) {
    render::Table table;
    for (std::size_t i = 0; i < grid.header.size(); ++i)
      table.columns.push_back({grid.header[i], i + grid.names >= grid.header.size() ? Kind::name : Kind::number});
    for (const auto& row : grid.rows) table.rows.push_back({{row.begin(), row.end()}});
    out.add(std::move(table));
  }
  for (const auto& note : grid.notes) out.note(note);
  return out;
}

void add_grid(render::Document& out, const Grid& grid) {
  if (grid.empty()) return;
  out.heading(2, grid.title);
  out.append(grid_blocks(grid));
}

}  // namespace tailcap::report
