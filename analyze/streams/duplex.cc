#include "analyze/streams/duplex.h"

#include <algorithm>

namespace tailcap::streams {

using model::Finding;

void Duplex::advance(bool all, Shared& shared, Output& output) {
  while (in.holds() || out.holds()) {
    const bool in_older = in.holds() && (!out.holds() || in.front_done() <= out.front_done());
    DirectionStream& older = in_older ? in : out;
    DirectionStream& younger = in_older ? out : in;
    if (older.front_ready(shared)) {
      older.release(shared, output);
      continue;
    }
    if (younger.holds() && younger.front_ready(shared)) {
      younger.release(shared, output);
      continue;
    }
    // Nothing can go on by itself. A piece that has waited long enough goes on without, the older one first.
    if (!all && !in.impatient(shared) && !out.impatient(shared)) break;
    if (shared.held_bytes > kMaxHeldTotal) shared.findings.add(Finding::out_of_order_dropped);
    older.release(shared, output);
  }
  in.try_end(all, shared, output);
  out.try_end(all, shared, output);
}

model::Time Duplex::wakes_at() const {
  const model::Time a = out.wakes_at(), b = in.wakes_at();
  return !formats::known(a) ? b : !formats::known(b) ? a : std::min(a, b);
}

}  // namespace tailcap::streams
