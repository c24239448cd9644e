// A table of plain texts with a title and notes.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "analyze/render/document.h"

namespace tailcap::report {

struct Grid {
  std::string title;
  std::vector<std::string> header;             // empty: there are only notes
  std::size_t names = 0;                       // of the last columns, which are text; the others are numbers
  std::vector<std::vector<std::string>> rows;  // printable(), not escaped
  std::vector<std::string> notes;              // sentences below it

  bool empty() const { return rows.empty() && notes.empty(); }
};

// Its table, and its notes below.
render::Document grid_blocks(const Grid& grid);
// The same under its title; nothing if it is empty.
void add_grid(render::Document& out, const Grid& grid);

}  // namespace tailcap::report
