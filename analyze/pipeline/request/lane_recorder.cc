#include "analyze/pipeline/request/lane_recorder.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <set>
#include <tuple>

namespace tailcap::pipeline {
namespace {

using formats::known;
using formats::Time;
using Times = std::vector<std::pair<Time, Time>>;

constexpr std::size_t kLanes = 4'000;                 // of a kind
constexpr std::size_t kOfRoute = 512, kFailed = 256;  // requests around which times are kept, at most

std::pair<Time, Time> around(const model::Rows& rows, std::uint32_t row) {
  const Time from = rows.start(row), to = from + rows.duration(row);
  const auto margin = std::max<formats::Duration>((to - from) / 10, std::chrono::microseconds{100});
  return {from - margin, to + margin};
}

// The first, then the slowest of each route, then the second of each, and so on; then failed ones.
std::vector<std::uint32_t> in_order(const model::RequestTable& table, const std::vector<std::uint32_t>& placed,
                                    model::ExchangeId first) {
  const model::Rows& rows = table.rows;
  std::map<std::tuple<model::Role, model::TextId, model::TextId>, std::vector<std::pair<std::int64_t, std::uint32_t>>>
      slowest;
  std::vector<std::uint32_t> failed;
  for (const std::uint32_t row : placed) {
    const std::pair<std::int64_t, std::uint32_t> one{rows.duration(row).count(), row};
    auto& of_route = slowest[{rows.role(row), rows.names(row).method, rows.route(row)}];
    if (of_route.size() == kOfRoute && of_route.back() >= one) continue;
    of_route.insert(std::ranges::upper_bound(of_route, one, std::greater<>()), one);
    if (of_route.size() > kOfRoute) of_route.pop_back();
    if (rows.status(row) >= 500 && failed.size() < kFailed) failed.push_back(row);
  }
  std::vector<std::uint32_t> out;
  for (const std::uint32_t row : placed)
    if (rows.id(row) == first) out.push_back(row);
  for (std::size_t rank = 0; rank < kOfRoute; ++rank) {
    std::vector<std::pair<std::int64_t, std::uint32_t>> alike;
    for (const auto& [route, of_route] : slowest)
      if (rank < of_route.size()) alike.push_back(of_route[rank]);
    std::ranges::sort(alike, std::greater<>());
    for (const auto& [duration, row] : alike) out.push_back(row);
    if (rank == 0) out.insert(out.end(), failed.begin(), failed.end());
  }
  return out;
}

}  // namespace

void LaneRecorder::begin(const model::RequestTable& table, const Recording& recording) {
  const model::Rows& rows = table.rows;
  std::set<std::uint32_t> pids = {0};  // is no process: without any, all would be taken
  std::vector<std::uint32_t> placed;
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    pids.insert(rows.work(i).pid);
    if (rows.has_duration(i) && known(rows.start(i))) placed.push_back(i);
  }
  if (placed.empty()) return;
  Time from = formats::kMaxTime, to = formats::kNoTime;
  for (const std::uint32_t row : placed) {
    from = std::min(from, around(rows, row).first);
    to = std::max(to, around(rows, row).second);
  }
  const std::uint64_t events = recording.so_far().quality.events;
  lanes_.emplace(from, to, std::vector<std::uint32_t>(pids.begin(), pids.end()),
                 timeline::LaneLimits{.lanes = kLanes, .stretches = limits_.stretches});
  times_ = {{from, to}};
  if (events <= limits_.events) return;
  // The part of the time that holds limits_.events events, if they are spread evenly.
  const double share = static_cast<double>(limits_.events) / static_cast<double>(events);
  auto left = static_cast<std::int64_t>(share * static_cast<double>((to - from).count()));
  Times chosen;
  for (const std::uint32_t row : in_order(table, placed, first_)) {
    const auto time = around(rows, row);
    if ((left -= (time.second - time.first).count()) < 0) break;
    chosen.push_back(time);
  }
  times_ = model::joined_times(std::move(chosen));
  lanes_->only_during(times_);
}

void LaneRecorder::push(const formats::Event& event) {
  if (lanes_) lanes_->push(event);
}

model::LaneRecord LaneRecorder::take() {
  model::LaneRecord out;
  if (!lanes_) return out;
  out.lanes = lanes_->done();
  for (auto [from, to] : times_) {
    to = std::min(to, out.lanes.complete_until);
    if (from < to) out.times.emplace_back(from, to);
  }
  return out;
}

}  // namespace tailcap::pipeline
