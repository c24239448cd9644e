#include "analyze/views/top/route_board.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "analyze/tail/rows/quantiles.h"
#include "analyze/tail/rows/standing.h"
#include "analyze/tail/study.h"

namespace tailcap::views {
namespace {

using formats::Duration;
using formats::Time;
using model::BoardRow;
using model::Outcome;
using model::Request;
using model::RequestTable;
using model::RouteBoard;

// A percentile is at least what a smaller one is.
void rise(BoardRow& row) {
  if (row.p50.support == model::Support::refused || row.p99.support != model::Support::lower_only) return;
  row.p99.low = std::max(row.p99.low, row.p50.support == model::Support::lower_only ? row.p50.low : row.p50.value);
}

void count(const Request& row, Time to, BoardRow& out) {
  if (row.outcome == Outcome::in_flight) {
    ++out.under_way;
    if (formats::known(row.start) && row.start < to) out.oldest = std::max(out.oldest, to - row.start);
    return;
  }
  ++out.ended;
  if (!row.has_duration || (out.any_duration && row.duration <= out.slowest)) return;
  out.any_duration = true;
  out.slowest = row.duration;
  out.slowest_id = row.id;
}

BoardRow row_of(const RequestTable& table, const tail::RouteKey& key, const std::vector<std::uint32_t>& rows,
                const RouteBoard& board, std::uint64_t unseen, bool sampled) {
  BoardRow out;
  const auto [method, route, role, service] = key;
  out.method = table.texts[method];
  out.route = table.texts[route];
  out.service = table.texts[service];
  out.role = role;
  tail::Durations durations;
  tail::Shortfall shortfall;
  std::vector<std::uint32_t> connections;
  for (const std::uint32_t i : rows) {
    const Request row = table.rows[i];
    const tail::DurationStanding standing = tail::standing_of(row);
    count(row, board.to, out);
    tail::count_answer(table.rows, i, out.errors);
    out.errors.other += standing == tail::DurationStanding::failed;
    if (durations.push(row, standing, board.to, shortfall) && sampled) connections.push_back(row.id.connection);
  }
  shortfall.tainted += unseen;
  shortfall.seconds = static_cast<double>((board.to - board.from).count()) * 1e-9;
  if (shortfall.seconds > 0) out.per_second = static_cast<double>(out.ended) / shortfall.seconds;
  const tail::Sample sample(std::move(durations.in_order), std::move(connections), std::move(durations.without_end));
  out.p50 = sample.quantile(0.50, shortfall);
  out.p99 = sample.quantile(0.99, shortfall);
  rise(out);
  return out;
}

}  // namespace

RouteBoard board_of(const RequestTable& table, const model::Study& study, Time from, Time to) {
  RouteBoard board;
  board.from = from;
  board.to = to;
  const model::Sampling& sampling = study.quality.sampling;
  board.one_in = std::max<std::uint32_t>(1, sampling.of);
  board.sampling_changed = sampling.mixed;
  for (const model::LossSpan& loss : study.quality.losses)
    if ((!formats::known(loss.to) || loss.to >= from) && (!formats::known(loss.from) || loss.from <= to))
      board.lost += loss.count;
  // Requests of which nothing was seen could all be of one route, and slower than any.
  const std::uint64_t unseen = board.lost > 0 ? study.quality.unseen : 0;
  for (const auto& [key, rows] : tail::by_route(table))
    board.rows.push_back(row_of(table, key, rows, board, unseen, sampling.some()));
  std::sort(board.rows.begin(), board.rows.end(), [](const BoardRow& a, const BoardRow& b) {
    if (a.role != b.role) return a.role < b.role;
    const std::uint64_t x = a.ended + a.under_way, y = b.ended + b.under_way;
    if (x != y) return x > y;
    return std::tie(a.route, a.method, a.service) < std::tie(b.route, b.method, b.service);
  });
  return board;
}

}  // namespace tailcap::views
