// Calls of an event loop without a known parent, as far as they likely belong to one request. Their parents are not
// filled in.
#pragma once

#include <optional>

#include "analyze/partition/draft/calls.h"
#include "analyze/partition/draft/draft.h"

namespace tailcap::partition {

class Orphans {
 public:
  // turns: those of the request. All must outlive this.
  Orphans(const DraftContext& k, const ThreadLog& log, const LoopTimeline::Own& turns, Draft& draft)
      : k_(k), log_(log), own_(turns), draft_(draft) {}

  // The request went on right after the loop had read the next part of a call without a known parent: it likely belongs
  // to this request. Its parent is not filled in.
  std::optional<Call> passed_on(const LoopTurn* next, const OffCpuWait& idle);
  // A call without a known parent, with its answer read after the loop's wake-up and before this request went on.
  std::optional<Call> answered(Nanos from, Nanos to, const LoopTurn* next, const OffCpuWait& idle);
  // A call without a known parent that the loop made after it had begun this request, and that has no answer.
  std::optional<Call> unanswered(Nanos until);
  // The request waits for this call in [from, to). What it waited for before the call began is not known.
  void add(const Call& call, Nanos from, Nanos to);

 private:
  // How many turns of the request began with a read of this call.
  std::size_t passes(model::ConnectionId call);
  // The call without a known parent that the loop read something of just then.
  std::optional<Call> read_at(Nanos t);
  std::optional<Call> orphan(const Act& act);

  const DraftContext& k_;
  const ThreadLog& log_;
  const LoopTimeline::Own& own_;
  Draft& draft_;
};

}  // namespace tailcap::partition
