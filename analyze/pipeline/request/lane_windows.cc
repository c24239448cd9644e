#include "analyze/pipeline/request/lane_windows.h"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <tuple>
#include <utility>

#include "analyze/pipeline/request/family.h"
#include "analyze/pipeline/wanted.h"

namespace tailcap::pipeline {
namespace {

using formats::known;
using model::ExchangeId;

constexpr timeline::LaneLimits kLimits{.lanes = 12, .stretches = 40'000};

}  // namespace

void LaneWindows::begin(const model::RequestTable& table, const Recording& recording) {
  struct Route {
    std::int64_t total = 0;
    std::vector<std::pair<std::int64_t, std::uint32_t>> slowest;  // longest first
  };
  const auto keep = [](auto& slowest, std::pair<std::int64_t, std::uint32_t> one, std::size_t most) {
    slowest.insert(std::upper_bound(slowest.begin(), slowest.end(), one, std::greater<>()), one);
    if (slowest.size() > most) slowest.pop_back();
  };
  std::map<std::tuple<model::Role, model::TextId, model::TextId, model::TextId>, Route> routes;
  std::vector<std::pair<std::int64_t, std::uint32_t>> all;
  const Wanted wanted(options_, recording.so_far());
  for (std::uint32_t i = 0; i < table.rows.size(); ++i) {
    if (!table.rows.has_duration(i) || !known(table.rows.start(i)) || !wanted.perhaps(table, i)) continue;
    const model::Request row = table.rows[i];
    Route& route = routes[{row.role, row.method, row.route, row.comm}];
    route.total += row.duration.count();
    keep(route.slowest, {row.duration.count(), i}, kPerRoute);
    keep(all, {row.duration.count(), i}, kMost);
  }
  std::vector<const Route*> order;
  for (const auto& [key, route] : routes) order.push_back(&route);
  std::stable_sort(order.begin(), order.end(), [](const Route* a, const Route* b) { return a->total > b->total; });
  std::vector<std::uint32_t> chosen;
  const auto choose = [&](std::uint32_t row) {
    if (chosen.size() < kMost && std::find(chosen.begin(), chosen.end(), row) == chosen.end()) chosen.push_back(row);
  };
  for (std::size_t i = 0; i < std::min(kRoutes, order.size()); ++i)
    for (const auto& [duration, row] : order[i]->slowest) choose(row);
  for (const auto& [duration, row] : all) choose(row);
  if (chosen.empty()) return;
  const Family family(table);
  for (const std::uint32_t i : chosen) {
    const formats::Time from = table.rows.start(i), to = from + table.rows.duration(i);
    const auto margin = std::max<formats::Duration>((to - from) / 10, std::chrono::microseconds{100});
    const ExchangeId id = table.rows.id(i);
    windows_.push_back({id, timeline::LaneCollector(from - margin, to + margin, family.pids(id), kLimits)});
    windows_.back().lanes.share(&owners_);
  }
}

void LaneWindows::push(const formats::Event& event) {
  if (windows_.empty()) return;
  owners_.push(event);
  for (Window& window : windows_)
    if (window.lanes.concerns(event)) window.lanes.push(event);
}

std::vector<model::LanesAround> LaneWindows::take(const model::RequestTable& table,
                                                  const std::vector<ExchangeId>& wanted) {
  std::vector<model::LanesAround> out;
  for (Window& window : windows_) {
    if (std::find(wanted.begin(), wanted.end(), window.request) == wanted.end()) continue;
    std::vector<ExchangeId> near = {window.request};
    std::vector<std::uint32_t> tids;
    for (const model::Culprit& c : table.partitions.culprits(window.request)) {
      if (c.request.connection != 0) near.push_back(c.request);
      if (c.tid != 0) tids.push_back(c.tid);
    }
    for (std::uint32_t i = 0; i < table.rows.size(); ++i)
      if (std::find(near.begin(), near.end(), table.rows.id(i)) != near.end() || table.rows.peer(i) == window.request)
        tids.push_back(table.rows[i].tid);
    window.lanes.prefer(tids);
    out.push_back({window.request, window.lanes.done()});
  }
  return out;
}

}  // namespace tailcap::pipeline
