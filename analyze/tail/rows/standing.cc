#include "analyze/tail/rows/standing.h"

namespace tailcap::tail {
namespace {

// A border of the request may lie elsewhere than it seems to.
constexpr model::Taints kDoubtful =
    ((static_cast<model::Taints>(model::Taint::bytes_lost) | model::Taint::events_lost) | model::Taint::end_inferred) |
    model::Taint::conflict;

DurationStanding standing(model::Outcome outcome, model::Taints taints, bool has_duration, bool complete) {
  if (has_duration) return taints & kDoubtful || !complete ? DurationStanding::doubtful : DurationStanding::clean;
  if (outcome == model::Outcome::in_flight || model::has(taints, model::Taint::cut_off) ||
      model::has(taints, model::Taint::began_before))
    return DurationStanding::in_flight;
  return model::broke_off(outcome, taints, has_duration) ? DurationStanding::failed : DurationStanding::doubtful;
}

}  // namespace

DurationStanding standing_of(const model::Request& row) {
  return standing(row.outcome, row.taints, row.has_duration, row.complete);
}

DurationStanding standing_of(const model::Rows& rows, std::size_t i) {
  return standing(rows.outcome(i), rows.taints(i), rows.has_duration(i), rows.complete(i));
}

void count_answer(const model::Rows& rows, std::size_t i, model::ErrorCounts& errors) {
  const model::Outcome outcome = rows.outcome(i);
  const bool server = outcome == model::Outcome::server_error, client = outcome == model::Outcome::client_error;
  if (is_store(rows.protocol(i))) {
    errors.stores += server || client;
  } else {
    errors.server += server;
    errors.client += client;
  }
}

}  // namespace tailcap::tail
