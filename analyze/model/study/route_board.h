// What `tailcap top` shows: the routes of some requests with their rate, errors, percentiles, the slowest, and what is
// under way.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/study/study.h"

namespace tailcap::model {

struct BoardRow {
  std::string service, method, route;  // as the report names the route
  Role role = Role::server;
  std::uint64_t ended = 0;  // requests that are over, however they ended
  double per_second = 0;    // of them
  ErrorCounts errors;
  Quantile p50, p99;          // of the requests that are over; by the rules of tail/rows/quantiles.h
  bool any_duration = false;  // one is known
  Duration slowest{};         // where any_duration
  ExchangeId slowest_id{};    // likewise
  std::uint64_t under_way = 0;
  Duration oldest{};  // of those: the time since it began
};

struct RouteBoard {
  Time from = kNoTime, to = kNoTime;
  std::vector<BoardRow> rows;       // routes that were served first; those with most requests first
  std::uint64_t lost = 0;           // events, in this time
  std::uint32_t one_in = 1;         // connections are recorded
  bool sampling_changed = false;    // their share is not the same all the time
  bool under_way_at_least = false;  // more requests are under way than were counted
};

}  // namespace tailcap::model
