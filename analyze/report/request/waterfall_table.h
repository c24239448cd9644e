// The lanes of waterfalls as a table with bars on one axis of time.
#pragma once

#include <string>

#include "analyze/render/document.h"
#include "analyze/report/request/waterfall.h"

namespace tailcap::report {

// Without rows: add_waterfall() makes them.
render::Table waterfall_table();
// span: of the axis; all waterfalls of a table share it. before: prefix of the titles of its lanes.
void add_waterfall(const Waterfall& waterfall, Duration span, const std::string& before, render::Table& table);
// A place on that axis.
render::Cell place_cell(Duration at, Duration span);
// Why there is nothing to draw; empty: there is.
std::string no_waterfall(const Waterfall& waterfall);

}  // namespace tailcap::report
