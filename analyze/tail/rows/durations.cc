#include "analyze/tail/rows/durations.h"

#include <algorithm>

namespace tailcap::tail {
namespace {

// Its answer may have come, unseen.
constexpr model::Taints kUnsure =
    ((static_cast<model::Taints>(model::Taint::bytes_lost) | model::Taint::events_lost) | model::Taint::left_out) |
    model::Taint::began_before;

}  // namespace

std::int64_t lasted(const model::Request& row, formats::Time end) {
  if (row.has_duration || !formats::known(row.start)) return -1;
  if (model::broke_off(row)) return std::max<std::int64_t>(0, row.at_least);
  if (row.outcome != model::Outcome::in_flight || (row.taints & kUnsure) != 0 || end < row.start) return -1;
  return (end - row.start).count();
}

bool Durations::push(const model::Rows& rows, std::size_t i, DurationStanding standing, formats::Time end,
                     Shortfall& shortfall) {
  if (standing != DurationStanding::clean) return push(rows[i], standing, end, shortfall);
  in_order.push_back(rows.duration(i).count());
  return true;
}

bool Durations::push(const model::Request& row, DurationStanding standing, formats::Time end, Shortfall& shortfall) {
  switch (standing) {
    case DurationStanding::clean:
      in_order.push_back(row.duration.count());
      return true;
    case DurationStanding::doubtful:
      ++shortfall.tainted;
      return false;
    case DurationStanding::in_flight:
      ++shortfall.in_flight;
      if (const std::int64_t least = lasted(row, end); least >= 0) without_end.cut_off.push_back(least);
      return false;
    case DurationStanding::failed:
      break;
  }
  in_order.push_back(std::max<std::int64_t>(0, lasted(row, end)));
  without_end.broken.push_back(in_order.back());
  return true;
}

}  // namespace tailcap::tail
