#include "analyze/report/board/route_board.h"

#include <algorithm>

#include "analyze/render/document.h"
#include "analyze/report/json/shape.h"
#include "analyze/report/words/errors.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/quantiles.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using model::BoardRow;
using model::RouteBoard;

std::size_t shown(const RouteBoard& board, std::size_t most) {
  return most == 0 ? board.rows.size() : std::min(most, board.rows.size());
}

std::string board_title(const BoardRow& row) {
  const std::string name =
      row.method.empty() && row.route.empty()
          ? "(unknown request)"
          : (row.method.empty() ? "" : printable(row.method) + " ") + (row.route.empty() ? "?" : printable(row.route));
  return row.role == model::Role::client ? "calls " + name : name;
}

// "+12.0 s, the last 10.0 s: 1,204 requests, 120/s, 3 errors (0.2 %), 4 under way".
std::string head_of(const RouteBoard& board, formats::Time begin) {
  std::uint64_t ended = 0, errors = 0, under_way = 0;
  // A request that was recorded at both ends counts where it was served.
  const bool served = std::ranges::any_of(board.rows, [](const BoardRow& r) { return r.role == model::Role::server; });
  for (const BoardRow& row : board.rows) {
    if (served && row.role != model::Role::server) continue;
    ended += row.ended;
    errors += row.errors.all();
    under_way += row.under_way;
  }
  const formats::Duration length = board.to - board.from;
  const double seconds = static_cast<double>(length.count()) * 1e-9;
  std::string out = offset_text(board.to, begin) + ", " +
                    (board.from <= begin ? "since the beginning" : "the last " + duration_text(length)) + ": " +
                    count_text(ended, served ? "request" : "call", served ? "requests" : "calls");
  if (ended > 0 && seconds > 0) out += ", " + rate_text(static_cast<double>(ended) / seconds);
  if (errors > 0) out += ", " + count_text(errors, "error", "errors") + " (" + share_text(errors, ended) + ")";
  if (under_way > 0)
    out += ", " + std::string(board.under_way_at_least ? "≥ " : "") + count_text(under_way) + " under way";
  return out;
}

render::Cell board_quantile(const model::Quantile& quantile) {
  const QuantileText text = quantile_text(quantile);
  return render::Cell(quantile.support == model::Support::refused ? "–" : text.value);
}

render::Row board_row(const BoardRow& row) {
  render::Cell errors(row.errors.all() == 0 ? "0" : count_text(row.errors.all()));
  if (row.errors.all() > 0) {
    errors.text += " (" + share_text(row.errors.all(), row.ended) + ")";
    errors.tone = row.errors.server + row.errors.other > 0 ? render::Tone::alarm : render::Tone::care;
  }
  std::string open = row.under_way == 0 ? "0" : count_text(row.under_way);
  if (row.under_way > 0 && row.oldest.count() > 0) open += ", " + duration_text(row.oldest);
  return {{shortened(printable(row.service), 16), board_title(row), rate_text(row.per_second), std::move(errors),
           board_quantile(row.p50), board_quantile(row.p99), row.any_duration ? duration_text(row.slowest) : "–",
           row.any_duration ? id_text(row.slowest_id) : "–", open}};
}

std::string signs_of(const RouteBoard& board) {
  std::string out;
  const auto any = [&](auto has) {
    return std::ranges::any_of(board.rows, [&](const BoardRow& row) { return has(row.p50) || has(row.p99); });
  };
  using model::Support;
  if (any([](const auto& q) { return q.support == Support::lower_only || q.support == Support::at_least; }))
    out += "≥ lower bound. ";
  if (any([](const auto& q) { return q.support == Support::low || q.support == Support::no_interval; }))
    out += "~ rough. ";
  if (any([](const auto& q) { return q.support == Support::refused; })) out += "– too few requests to say. ";
  if (!out.empty()) out.pop_back();
  return out;
}

}  // namespace

std::string text_board(const RouteBoard& board, formats::Time begin, const BoardLook& look) {
  using Kind = render::Column::Kind;
  render::Document out;
  out.paragraph(head_of(board, begin));
  if (board.lost > 0)
    out.paragraph(count_text(board.lost, "event", "events") + " lost in this time: requests may be missing.",
                  render::Tone::alarm);
  if (board.sampling_changed)
    out.paragraph("A part of the connections is recorded, and it changed: rates are those of the recorded ones.",
                  render::Tone::care);
  else if (board.one_in > 1)
    out.paragraph(
        "One in " + count_text(board.one_in) + " connections is recorded: rates are those of the recorded ones.",
        render::Tone::care);
  if (board.rows.empty()) {
    out.paragraph("No request.");
    return render::to_text(out, look.width, look.coloured);
  }
  render::Table table;
  table.columns = {{"service", Kind::word}, {"route", Kind::name}, {"rate"}, {"errors"}, {"p50"}, {"p99"}, {"slowest"},
                   {"id", Kind::word},      {"under way, oldest"}};
  const std::size_t n = shown(board, look.most);
  for (std::size_t i = 0; i < n; ++i) table.rows.push_back(board_row(board.rows[i]));
  out.add(std::move(table));
  std::string note = signs_of(board);
  if (n < board.rows.size())
    note = count_text(board.rows.size() - n, "more route", "more routes") + " with fewer requests." +
           (note.empty() ? "" : " " + note);
  if (!note.empty()) out.note(note);
  return render::to_text(out, look.width, look.coloured);
}

namespace {

struct BoardContext {
  const model::WallClock& clock;
  std::size_t most;
};

bool has_value(const model::Quantile& q) {
  return q.support != model::Support::refused && q.support != model::Support::lower_only &&
         q.support != model::Support::at_least;
}
auto quantile_value(model::Quantile BoardRow::*quantile) {
  return [quantile](const BoardRow& row) { return when(has_value(row.*quantile), (row.*quantile).value.count()); };
}
auto least_of(model::Quantile BoardRow::*quantile) {
  return [quantile](const BoardRow& row) {
    const model::Quantile& q = row.*quantile;
    const bool open = q.support == model::Support::lower_only || q.support == model::Support::at_least;
    return when(open, (q.support == model::Support::lower_only ? q.low : q.value).count());
  };
}

const Shape<BoardRow, Anywhere> kBoardRow{
    "route",
    {
        {"comm", or_null(&BoardRow::service)},
        {"role", one_of<model::Role::client>(&BoardRow::role)},
        {"method", or_null(&BoardRow::method)},
        {"route", or_null(&BoardRow::route)},
        {"requests", &BoardRow::ended, "that ended in this time, in whatever way"},
        {"per_second", &BoardRow::per_second},
        {"errors", [](auto& row) { return row.errors.all(); }, "4xx, 5xx, errors of stores, and what broke off"},
        {"server_errors", [](auto& row) { return row.errors.server; }, "5xx"},
        {"broke_off", [](auto& row) { return row.errors.other; }},
        {"p50_ns", quantile_value(&BoardRow::p50), "null: the data does not support it"},
        {"p50_at_least_ns", least_of(&BoardRow::p50), "the lower bound where only that is known"},
        {"p99_ns", quantile_value(&BoardRow::p99)},
        {"p99_at_least_ns", least_of(&BoardRow::p99)},
        {"slowest_ns", [](auto& row) { return when(row.any_duration, row.slowest.count()); }},
        {"slowest_id", [](auto& row) { return when(row.any_duration, row.slowest_id); }},
        {"under_way", &BoardRow::under_way, "requests without a response at the end of this time"},
        {"oldest_ns", [](auto& row) { return when(row.under_way > 0, row.oldest.count()); },
         "the time since the first of them began"},
    }};

const Shape<RouteBoard, BoardContext>& board_shape() {
  static const Shape<RouteBoard, BoardContext> shape{
      "top",
      {
          {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
          {"from_ns", &RouteBoard::from, "null: the clock is not known"},
          {"to_ns", &RouteBoard::to},
          {"lost_events", &RouteBoard::lost, "in this time"},
          {"one_in", &RouteBoard::one_in, "the part of the connections that is recorded: 8 stands for one in eight"},
          {"sampling_changed", &RouteBoard::sampling_changed},
          {"under_way_at_least", &RouteBoard::under_way_at_least, "more are under way than were counted"},
          {"routes", kBoardRow,
           [](auto& board, auto& context) {
             return std::vector<BoardRow>(board.rows.begin(),
                                          board.rows.begin() + static_cast<std::ptrdiff_t>(shown(board, context.most)));
           },
           "those that were served first; of each role those with most requests first"},
      }};
  return shape;
}

}  // namespace

std::string json_board(const RouteBoard& board, const model::WallClock& clock, std::size_t most) {
  return json_of(board_shape(), board, BoardContext{clock, most});
}
std::string board_schema() { return json_schema(board_shape(), "tailcap top --json", "A line for each table."); }

}  // namespace tailcap::report
