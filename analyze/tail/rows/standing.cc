#include "analyze/tail/rows/standing.h"

namespace tailcap::tail {
namespace {

// A border of the request may lie elsewhere than it seems to.
constexpr model::Taints kDoubtful =
    ((static_cast<model::Taints>(model::Taint::bytes_lost) | model::Taint::events_lost) | model::Taint::end_inferred) |
    model::Taint::conflict;

}  // namespace

Standing standing_of(const model::Request& row) {
  if (row.has_duration) return row.taints & kDoubtful || !row.complete ? Standing::doubtful : Standing::clean;
  if (row.outcome == model::Outcome::in_flight || model::has(row.taints, model::Taint::cut_off) ||
      model::has(row.taints, model::Taint::began_before))
    return Standing::in_flight;
  return model::broke_off(row) ? Standing::failed : Standing::doubtful;
}

}  // namespace tailcap::tail
