// What held up a request at each moment of its time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analyze/partition/conditions/sweep.h"
#include "analyze/partition/draft/calls.h"
#include "analyze/partition/draft/draft.h"

namespace tailcap::partition {

struct Drafted {
  Draft draft;
  std::vector<Call> calls;
  Sweeper sweeper;
  std::vector<Condition> pieces;  // they partition the request's time; empty: its end or its phases are not known
};

// Its memory is used again. sums: pieces without a carrier are the background's.
void draft_request(const DraftContext& k, std::uint32_t row, DraftDetail detail, Drafted& out);

// What this thread did in [from, to), for this request where `row` is given: pieces of `out`. Empty: its waits are not
// known there.
void draft_thread(const DraftContext& k, std::uint32_t tid, Nanos from, Nanos to, std::optional<std::uint32_t> row,
                  Drafted& out);

}  // namespace tailcap::partition
