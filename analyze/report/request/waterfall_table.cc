#include "analyze/report/request/waterfall_table.h"

#include <algorithm>

#include "analyze/report/words/html_parts.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/quantiles.h"

namespace tailcap::report {
namespace {

using render::Cell;
using render::Table;
using Kind = render::Column::Kind;

constexpr const char* kLogColour = "#404040";
constexpr std::size_t kBarsInLane = 2'000;  // drawn; a request can have any number of waits

render::Bar on_axis(const WaterfallBar& bar, Duration span) {
  const auto share = [&](Duration d) { return static_cast<double>(d.count()) / static_cast<double>(span.count()); };
  return {share(bar.from), share(bar.from + bar.length), bar.colour,
          bar.name + (bar.note.empty() ? "" : ", " + bar.note) + ": " + exact_text(bar.length) + ", from +" +
              exact_text(bar.from)};
}

render::Row log_row(const LaneLine& line, Duration span) {
  render::Row row;
  row.cells = {line.text, place_cell(line.at, span), "", Cell()};
  const Duration within = std::max(line.within, Duration{1});
  row.cells[3].bars.push_back(on_axis({"written", kLogColour, line.at, within, {}}, span));
  row.below.emplace_back(render::Tone::plain, line.note);
  return row;
}

void add_lane(const WaterfallLane& lane, Duration span, const std::string& before, Table& table) {
  render::Row all;
  all.group = before + lane.title;
  all.drawing = true;
  all.cells = {"", "", "", Cell()};
  for (std::size_t i = 0; i < std::min(lane.bars.size(), kBarsInLane); ++i)
    all.cells[3].bars.push_back(on_axis(lane.bars[i], span));
  table.rows.push_back(std::move(all));
  std::size_t line = 0;
  const auto add_lines = [&](Duration before_this) {
    for (; line < lane.lines.size() && lane.lines[line].at < before_this; ++line)
      table.rows.push_back(log_row(lane.lines[line], span));
  };
  for (const std::size_t i : lane.listed) {
    const WaterfallBar& bar = lane.bars[i];
    add_lines(bar.from);
    render::Row row;
    row.cells = {bar.name, place_cell(bar.from, span), duration_cell(bar.length), Cell()};
    row.cells[3].bars.push_back(on_axis(bar, span));
    if (!bar.note.empty()) row.below.emplace_back(render::Tone::plain, bar.note);
    table.rows.push_back(std::move(row));
  }
  add_lines(Duration::max());
  if (lane.others.empty()) return;
  render::Row others;
  others.cells = {Cell()};
  others.below.emplace_back(render::Tone::plain, "and " + lane.others);
  table.rows.push_back(std::move(others));
}

}  // namespace

Cell place_cell(Duration at, Duration span) {
  Cell cell(place_text(at, span));
  cell.hint = exact_text(at);
  return cell;
}

Table waterfall_table() {
  Table table;
  table.bars = true;
  table.columns = {{"", Kind::name}, {"from"}, {"for"}, {"", Kind::bar}};
  return table;
}

void add_waterfall(const Waterfall& w, Duration span, const std::string& before, Table& table) {
  for (const WaterfallLane& lane : w.lanes) add_lane(lane, span, before, table);
}

std::string no_waterfall(const Waterfall& w) {
  if (!w.lanes.empty() && w.span.count() > 0) return {};
  return w.no_lanes.empty() ? "it took no time" : w.no_lanes;
}

}  // namespace tailcap::report
