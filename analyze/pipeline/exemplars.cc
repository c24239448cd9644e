#include "analyze/pipeline/exemplars.h"

#include <algorithm>
#include <utility>

#include "analyze/tail/rows/standing.h"
#include "analyze/tail/slow/exemplars.h"
#include "analyze/tail/study.h"
#include "ground/number_sort.h"

namespace tailcap::pipeline {
namespace {

// As the study chooses: a trustworthy duration that its phases, and so its labels, will add up to.
bool comparable(const model::Rows& rows, std::size_t i) {
  return tail::standing_of(rows, i) == tail::DurationStanding::clean && rows.has_duration(i) && rows.has_phases(i) &&
         rows.duration(i).count() > 0 && formats::known(rows.start(i));
}

struct RouteRows {
  std::int64_t total = 0;
  std::vector<std::uint32_t> rows;  // that can be compared
};

// Those with the most time first.
std::vector<RouteRows> routes_of(const model::RequestTable& table, const Wanted& wanted) {
  std::vector<RouteRows> routes;
  for (auto& [key, rows] : tail::by_route(table, [&](std::uint32_t i) { return wanted.perhaps(table, i); })) {
    RouteRows& route = routes.emplace_back();
    for (const std::uint32_t i : rows)
      if (table.rows.has_duration(i)) route.total += table.rows.duration(i).count();
    route.rows = std::move(rows);
    std::erase_if(route.rows, [&](std::uint32_t i) { return !comparable(table.rows, i); });
  }
  std::stable_sort(routes.begin(), routes.end(),
                   [](const RouteRows& a, const RouteRows& b) { return a.total > b.total; });
  return routes;
}

// The durations, ascending.
std::vector<std::int64_t> sort_by_duration(const model::RequestTable& table, std::vector<std::uint32_t>& rows) {
  std::vector<ground::Ranked> order;
  order.reserve(rows.size());
  for (const std::uint32_t i : rows) order.push_back({table.rows.duration(i).count(), i});
  ground::sort_ranked(order);
  std::vector<std::int64_t> out;
  out.reserve(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i] = order[i].place;
    out.push_back(order[i].by);
  }
  return out;
}

constexpr std::uint64_t kStretches = 8'000'000;  // at most, and mostly a tenth of that: 100 bytes each

}  // namespace

bool few_courses(const model::RequestTable& table, std::uint64_t events, std::size_t requests) {
  const model::Rows& rows = table.rows;
  if (rows.size() > requests) return false;
  std::vector<formats::Time> begun, ended;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!rows.has_duration(i) || !formats::known(rows.start(i))) continue;
    begun.push_back(rows.start(i));
    ended.push_back(rows.start(i) + rows.duration(i));
  }
  std::ranges::sort(begun);
  std::ranges::sort(ended);
  std::uint64_t at_once = 0;
  for (std::size_t i = 0, over = 0; i < begun.size(); ++i) {
    while (over < i && ended[over] <= begun[i]) ++over;
    at_once = std::max<std::uint64_t>(at_once, i + 1 - over);
  }
  return at_once == 0 || events <= kStretches / at_once;
}

LikelyRows likely_rows(const model::RequestTable& table, const Wanted& wanted) {
  LikelyRows out;
  for (RouteRows& route : routes_of(table, wanted)) {
    const bool known = !wanted.asks_what_comes_later();  // otherwise that decides which of them are compared, too
    std::size_t slow_from = 0;
    const std::vector<std::int64_t> durations =
        known ? sort_by_duration(table, route.rows) : std::vector<std::int64_t>{};
    const tail::slow::CohortPlaces places = tail::slow::cohort_places(durations);
    if (known && places.needed == 0) {
      slow_from = route.rows.size() - places.slow;
      for (const std::size_t place : tail::slow::exemplar_places(places, route.rows.size()))
        out.exemplars.push_back(route.rows[place]);
    } else if (!known) {
      out.exemplars.insert(out.exemplars.end(), route.rows.begin(), route.rows.end());
    }
    out.slow.insert(out.slow.end(), route.rows.begin() + static_cast<std::ptrdiff_t>(slow_from), route.rows.end());
  }
  return out;
}

std::vector<model::ExchangeId> shown_exemplars(const model::RequestTable& table, const model::Study& study,
                                               std::size_t routes) {
  std::vector<model::ExchangeId> out;
  for (const model::Verdict& v : study.verdicts) out.insert(out.end(), v.examples.begin(), v.examples.end());
  for (const std::uint32_t row : study.slowest) out.push_back(table.rows.id(row));
  for (std::size_t n = out.size(), i = 0; i < n; ++i)
    for (const model::Culprit& c : table.partitions.culprits(out[i]))
      if (c.request.connection != 0) out.push_back(c.request);
  for (std::size_t i = 0; i < std::min(study.routes.size(), routes); ++i) {
    if (!study.routes[i].tail) continue;
    for (const model::Exemplar& e : study.routes[i].tail->exemplars)
      for (const std::uint32_t row : {e.row, e.typical}) {
        out.push_back(table.rows.id(row));
        for (const model::Culprit& c : table.partitions.culprits(table.rows.id(row)))
          if (c.request.connection != 0) out.push_back(c.request);
      }
  }
  return out;
}

}  // namespace tailcap::pipeline
