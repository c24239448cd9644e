// The slowest requests of a route, and the typical ones that they are compared with.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analyze/tail/slow/items.h"

namespace tailcap::tail::slow {

inline constexpr double kTypicalFrom = 0.4, kTypicalTo = 0.6;  // quantiles of the duration
inline constexpr std::size_t kMaxSlow = 2000;                  // more say nothing more
inline constexpr std::size_t kMaxBeyond = 5000;                // beyond a gap; of more, the slowest as without it

// The one definition of slow and typical, for requests in the order of their durations. Slow is what lies beyond a gap
// (beyond_gap()), where there is one. Otherwise a fixed share is.
struct CohortPlaces {
  std::uint64_t needed = 0;                      // not 0: there are none, this number of requests is needed
  double from = 0;                               // quantile where the slow ones begin
  std::size_t slow = 0;                          // how many of the last requests
  bool gap = false;                              // they lie beyond one
  std::size_t typical_from = 0, typical_to = 0;  // places
};
CohortPlaces cohort_places(std::size_t requests);  // without a gap
// sorted: durations, ascending, ns.
CohortPlaces cohort_places(std::span<const std::int64_t> sorted);

// Requests alike at some level. A typical request may be in several.
struct CohortCell {
  std::size_t level = 0;
  std::uint64_t kind = 0;
  std::uint64_t slow = 0, typical = 0;  // requests
  bool holds(const Item& item) const { return kind_at(item.kind, level) == kind; }
};

struct Cohorts : CohortPlaces {      // places in `order`
  std::vector<std::uint32_t> order;  // all items, fastest first
  std::vector<CohortCell> cells;     // in which slow requests are compared with typical ones; few
  // Places in order from the end, cells of the slowest; more than `slow`, for other thresholds.
  std::vector<std::uint8_t> cell_of;

  std::uint32_t nth_slowest(std::size_t i) const { return order[order.size() - 1 - i]; }
};

Cohorts cohorts_of(const std::vector<Item>& items);
// The same without a gap.
Cohorts fixed_cohorts_of(const std::vector<Item>& items);
// These of them are slow, the slowest first; compared with nothing.
Cohorts cohort_of(std::span<const std::uint32_t> items);
// All of them are slow: too few to compare, or nothing to compare them with.
Cohorts one_cohort(const std::vector<Item>& items);

}  // namespace tailcap::tail::slow
