// A table of the report before it is text, a page or Markdown: cells as people read them.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace tailcap::report {

struct Grid {
  std::string title;
  std::vector<std::string> header;             // empty: there are only notes
  std::size_t names = 0;                       // the last so many columns are text, the others numbers
  std::vector<std::vector<std::string>> rows;  // printable(), not escaped
  std::vector<std::string> notes;              // sentences below it

  bool empty() const { return rows.empty() && notes.empty(); }
};

// Without the title.
std::string grid_text(const Grid& grid, std::size_t width);
// With it.
std::string grid_html(const Grid& grid);
std::string grid_markdown(const Grid& grid);

}  // namespace tailcap::report
