#include "analyze/tail/slow/cohorts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <unordered_map>

#include "analyze/tail/slow/gap.h"
#include "ground/number_sort.h"

namespace tailcap::tail::slow {
namespace {

constexpr std::size_t kLeastOfPercent = 20;  // the slowest 1 % are taken where they are at least this number,
constexpr std::size_t kLeastCompared = 5;    // requests: with fewer, each is described
constexpr std::size_t kLeastSlow = 3;        // of at least five times this number of requests
constexpr std::uint64_t kLeastAlike = 5;     // typical requests to compare with; fewer are looked for less alike
constexpr std::size_t kMaxCells = 8;         // bounds the work; what is rare is compared less alike

// How many typical requests there are of each kind, level by level.
using Counts = std::array<std::unordered_map<std::uint64_t, std::uint64_t>, kLevels>;

std::size_t level_for(const Counts& typical, std::uint64_t kind, std::size_t least) {
  for (std::size_t level = least; level + 1 < kLevels; ++level) {
    const auto found = typical[level].find(kind_at(kind, level));
    if (found != typical[level].end() && found->second >= kLeastAlike) return level;
  }
  return kLevels - 1;
}

std::size_t find_or_add(std::vector<CohortCell>& cells, std::size_t level, std::uint64_t kind, const Counts& typical) {
  const auto same =
      std::find_if(cells.begin(), cells.end(), [&](const CohortCell& c) { return c.level == level && c.kind == kind; });
  if (same != cells.end()) return static_cast<std::size_t>(same - cells.begin());
  const auto count = typical[level].find(kind);
  cells.push_back({level, kind, 0, count == typical[level].end() ? 0 : count->second});
  return cells.size() - 1;
}

// The slow requests' cells, at most kMaxCells: the smallest are widened, those that are least wide first.
std::vector<CohortCell> cells_of(const std::vector<Item>& items, const Cohorts& cohorts, const Counts& typical,
                                 std::size_t at_least) {
  std::vector<CohortCell> cells;
  for (std::size_t i = 0; i < cohorts.slow; ++i) {
    const std::uint64_t kind = items[cohorts.nth_slowest(i)].kind;
    const std::size_t level = level_for(typical, kind, at_least);
    ++cells[find_or_add(cells, level, kind_at(kind, level), typical)].slow;
    if (cells.size() > kMaxCells && at_least + 1 < kLevels) return cells_of(items, cohorts, typical, at_least + 1);
  }
  return cells;
}

std::size_t cell_for(const std::vector<CohortCell>& cells, const Item& item) {
  std::size_t best = cells.size();
  for (std::size_t c = 0; c < cells.size(); ++c)
    if (cells[c].holds(item) && (best == cells.size() || cells[c].level < cells[best].level)) best = c;
  return best;
}

// Quantiles of the requests that are not slow.
void place_typical(std::size_t n, CohortPlaces& out) {
  const auto at = [&](double quantile) {
    return static_cast<std::size_t>(std::ceil(quantile * static_cast<double>(n) - 1e-9));
  };
  out.typical_from = at(kTypicalFrom);
  out.typical_to = at(kTypicalTo);
}

std::vector<std::uint32_t> by_duration(const std::vector<Item>& items) {
  std::vector<ground::Ranked> order;
  order.reserve(items.size());
  for (std::uint32_t i = 0; i < items.size(); ++i) order.push_back({items[i].duration, i});
  ground::sort_ranked(order);
  std::vector<std::uint32_t> out;
  out.reserve(items.size());
  for (const ground::Ranked& item : order) out.push_back(item.place);
  return out;
}

void compare_alike(const std::vector<Item>& items, Cohorts& out) {
  const std::size_t n = items.size();
  Counts typical;
  for (std::size_t i = out.typical_from; i < out.typical_to; ++i)
    for (std::size_t level = 0; level < kLevels; ++level) ++typical[level][kind_at(items[out.order[i]].kind, level)];
  out.cells = cells_of(items, out, typical, 0);
  // Resampled, a cohort of a fixed share reaches further down. A request of no cell there is compared like most of
  // them.
  const std::size_t reach = out.gap ? out.slow : std::min(n - out.typical_to, 3 * out.slow);
  const auto most = std::max_element(out.cells.begin(), out.cells.end(),
                                     [](const CohortCell& a, const CohortCell& b) { return a.slow < b.slow; });
  for (std::size_t i = 0; i < reach; ++i) {
    const std::size_t cell = cell_for(out.cells, items[out.nth_slowest(i)]);
    out.cell_of.push_back(
        static_cast<std::uint8_t>(cell < out.cells.size() ? cell : static_cast<std::size_t>(most - out.cells.begin())));
  }
}

}  // namespace

CohortPlaces cohort_places(std::size_t n) {
  CohortPlaces out;
  if (n / 100 >= kLeastOfPercent) {
    out.from = n / 100 > kMaxSlow ? 1 - static_cast<double>(kMaxSlow) / static_cast<double>(n) : 0.99;
    out.slow = std::min(n / 100, kMaxSlow);
  } else if (n >= kLeastCompared) {
    out.slow = std::max({n / 20, std::min(kLeastSlow, n / 5), std::size_t{1}});
    out.from = 1 - static_cast<double>(out.slow) / static_cast<double>(n);
  } else {
    out.needed = kLeastCompared;
    return out;
  }
  place_typical(n, out);
  return out;
}

CohortPlaces cohort_places(std::span<const std::int64_t> sorted) {
  CohortPlaces out = cohort_places(sorted.size());
  const std::size_t beyond = beyond_gap(sorted);
  if (out.needed != 0 || beyond == 0 || beyond > kMaxBeyond) return out;
  out.slow = beyond;
  out.from = 1 - static_cast<double>(beyond) / static_cast<double>(sorted.size());
  out.gap = true;
  place_typical(sorted.size() - beyond, out);
  return out;
}

Cohorts cohorts_of(const std::vector<Item>& items) {
  Cohorts out;
  out.order = by_duration(items);
  std::vector<std::int64_t> durations;
  durations.reserve(items.size());
  for (const std::uint32_t i : out.order) durations.push_back(items[i].duration);
  static_cast<CohortPlaces&>(out) = cohort_places(durations);
  if (out.needed == 0) compare_alike(items, out);
  return out;
}

Cohorts fixed_cohorts_of(const std::vector<Item>& items) {
  Cohorts out;
  out.order = by_duration(items);
  static_cast<CohortPlaces&>(out) = cohort_places(items.size());
  if (out.needed == 0) compare_alike(items, out);
  return out;
}

Cohorts cohort_of(std::span<const std::uint32_t> items) {
  Cohorts out;
  out.slow = items.size();
  out.order.assign(items.rbegin(), items.rend());
  return out;
}

Cohorts one_cohort(const std::vector<Item>& items) {
  Cohorts out;
  out.slow = items.size();
  for (std::uint32_t i = 0; i < items.size(); ++i) out.order.push_back(i);
  return out;
}

}  // namespace tailcap::tail::slow
