// The table of `tailcap top`, as text and as JSON.
#pragma once

#include <cstddef>
#include <string>

#include "analyze/model/study/route_board.h"
#include "analyze/model/wall_clock.h"

namespace tailcap::report {

struct BoardLook {
  std::size_t width = 120;
  std::size_t most = 0;  // rows; 0: all
  bool coloured = false;
};

// begin: of the recording. The first line says which time the table is about.
std::string text_board(const model::RouteBoard& board, formats::Time begin, const BoardLook& look);
// A line. `most` as above.
std::string json_board(const model::RouteBoard& board, const model::WallClock& clock, std::size_t most);
std::string board_schema();

}  // namespace tailcap::report
