#include "analyze/partition/orphans.h"

#include <algorithm>

namespace tailcap::partition {

using model::Evidence;
using model::Label;

std::optional<Call> Orphans::passed_on(const LoopTurn* next, const OffCpuWait& idle) {
  const auto call = next ? read_at(next->from) : std::nullopt;
  if (!call || (idle.woken_by_timer() && passes(call->w.id.connection) < 2)) return std::nullopt;
  return call;
}

std::size_t Orphans::passes(model::ConnectionId call) {
  return static_cast<std::size_t>(std::count_if(own_.begin(), own_.end(), [&](const LoopTurn& t) {
    const auto read = read_at(t.from);
    return read && read->w.id.connection == call;
  }));
}

std::optional<Call> Orphans::read_at(Nanos t) {
  for (const Act* a = log_.acts.first_at(t); a != log_.acts.end() && a->time == t; ++a)
    if (const auto call = a->out ? std::nullopt : orphan(*a)) return call;
  return std::nullopt;
}

std::optional<Call> Orphans::answered(Nanos from, Nanos to, const LoopTurn* next, const OffCpuWait& idle) {
  const Nanos until = next ? next->to : to;
  for (const Act* a = log_.acts.first_at(idle.back); a != log_.acts.end() && a->time <= until; ++a) {
    const auto call = a->out ? std::nullopt : orphan(*a);
    if (call && call->began < to && call->arrived > from) return call;
  }
  return std::nullopt;
}

std::optional<Call> Orphans::unanswered(Nanos until) {
  // The turn in which the request was read and the call was made counts as the call's: that may have been the only
  // one.
  const bool read_only = own_.empty();
  const Nanos begun = read_only ? draft_.w.first : own_.front().from;
  for (const Act* a = log_.acts.first_at(begun); a != log_.acts.end() && a->time <= until; ++a) {
    if (read_only && !a->out && a->time > begun) break;
    const auto call = a->out ? orphan(*a) : std::nullopt;
    if (call && !call->w.ended() && call->arrived >= draft_.w.to) return call;
  }
  return std::nullopt;
}

std::optional<Call> Orphans::orphan(const Act& act) {
  const auto row = k_.windows.at(act.connection, act.time);
  if (!row || k_.windows.table().rows.role(*row) != model::Role::client ||
      k_.windows.owner(*row) != k_.windows.table().rows.id(*row))
    return std::nullopt;
  Call call = call_of(k_, *row, draft_.w.to, draft_);
  call.who = 0;
  return call;
}

void Orphans::add(const Call& call, Nanos from, Nanos to) {
  draft_.add(from, std::clamp(call.began, from, to), Label::blocked_unknown, Evidence::inferred);
  add_down(k_, call, from, to, Evidence::inferred, draft_);
}

}  // namespace tailcap::partition
