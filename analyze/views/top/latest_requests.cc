#include "analyze/views/top/latest_requests.h"

#include <algorithm>

#include "analyze/tail/rows/routes.h"
#include "analyze/tail/rows/rows.h"
#include "analyze/views/top/route_board.h"

namespace tailcap::views {
namespace {

using formats::Time;
using model::Request;

Time end_of(const Request& row, Time now) {
  if (!formats::known(row.start)) return now;
  if (row.has_duration) return std::min(now, row.start + row.duration);
  return row.at_least >= 0 ? std::min(now, row.start + formats::Duration{row.at_least}) : now;
}

// The row with its texts in another pool: only those that a board needs.
Request in(model::TextPool& texts, Request row, const model::TextPool& from) {
  const auto moved = [&](model::TextId id) { return id == 0 ? 0 : texts.intern(from[id]); };
  row.method = moved(row.method);
  row.path = moved(row.path);
  row.comm = moved(row.comm);
  row.authority = row.request_id = row.traceparent = row.handler = row.route = 0;
  row.grpc.message = row.store.error_code = 0;
  row.setup = nullptr;
  row.cause = nullptr;
  row.account = nullptr;
  return row;
}

}  // namespace

void LatestRequests::add(const Request& row, Time now) {
  if (row.outcome == model::Outcome::in_flight) {
    if (unfinished_.size() < kMostUnderWay) unfinished_.push_back(row);
    return;
  }
  if (ended_.size() >= most_) {
    whole_from_ = ended_.front().at;
    ended_.pop_front();
  }
  ended_.push_back({end_of(row, now), row});
}

model::RouteBoard LatestRequests::board(const pipeline::Following& following, Time now, const Wanted& wanted) {
  const model::Study study = following.so_far();
  // What is over for less than this is not known yet.
  const Time to = std::max(study.begin, now - pipeline::kSettling);
  Time from = to - std::min(part_, to - study.begin);
  while (!ended_.empty() && ended_.front().at < from) ended_.pop_front();
  if (formats::known(whole_from_)) from = std::min(to, std::max(from, whole_from_));
  model::RequestTable table, open;
  const auto take = [&](const Request& row, const model::RequestTable& of) {
    if (wanted(of, row)) table.rows.push_back(in(table.texts, row, of.texts));
  };
  for (const Ended& one : ended_)
    if (one.at >= from && one.at <= to) take(one.row, following.table());
  for (const Request& row : unfinished_) take(row, following.table());
  const bool all = following.add_under_way(open, kMostUnderWay);
  for (const Request& row : open.rows) take(row, open);
  tail::sort_rows(table);
  model::Findings ignored;
  tail::assign_routes(table, {}, pipeline::kMaxRoutes, ignored);
  model::RouteBoard board = board_of(table, study, from, to);
  board.under_way_at_least = !all;
  return board;
}

}  // namespace tailcap::views
