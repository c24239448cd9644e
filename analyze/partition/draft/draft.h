// One request's partition while it is being made: the conditions found so far, and who was behind them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "analyze/model/partition.h"
#include "analyze/partition/conditions/sweep.h"
#include "analyze/partition/history/loop_timeline.h"
#include "analyze/partition/history/observed.h"
#include "analyze/partition/history/pools.h"
#include "analyze/partition/history/windows.h"

namespace tailcap::partition {

// Knowledge beside the request itself.
struct DraftContext {
  const Windows& windows;
  const Observed& observed;
  Loops& loops;
  const PoolWaits& pools;
  std::size_t detailed_turns = 16;  // of a loop in the life of a request: more are summed
};

// full: everything one by one. sums: what an event loop did in the many turns that were not the request's is summed.
enum class DraftDetail : std::uint8_t { full, sums };

struct Draft {
  Window w;
  DraftDetail detail = DraftDetail::full;
  std::vector<Condition> conditions;
  std::vector<model::Culprit> behind;  // number n is behind[n - 1]
  // The threads that carried it, and when. In Go, who did.
  struct Carried {
    Nanos from = 0, to = 0;
    std::uint32_t tid = 0;
    bool loop = false;      // in its turn on an event loop,
    bool doubtful = false;  // or perhaps another's
  };
  std::vector<Carried> carried;
  std::uint64_t goroutine = 0;
  // With sums: what the loop did where no condition applies.
  struct Background {
    const LoopTimeline* loop = nullptr;  // nullptr: every turn is a condition
    LoopTimeline::Range turns;           // of the loop, in the request's time
    std::uint32_t tid = 0;
    std::vector<TimeSpan> ready;  // in these, what the request waits for is known to be there; disjoint, in order
  };
  Background background;

  // Outside the window nothing is kept.
  void add(Nanos from, Nanos to, model::Label label, model::Evidence evidence = model::Evidence::measured,
           std::uint32_t who = 0) {
    from = std::max(from, w.from);
    to = std::min(to, w.to);
    if (from < to) conditions.push_back({from, to, label, evidence, who});
  }
  // The number of who is behind something; the same for the same.
  std::uint32_t who(std::uint64_t what, model::ExchangeId request = {}, std::uint32_t tid = 0) {
    for (std::size_t i = behind.size(); i-- > 0 && behind.size() - i <= 8;)
      if (behind[i].what == what && behind[i].request == request && behind[i].tid == tid)
        return static_cast<std::uint32_t>(i + 1);
    model::Culprit c;
    c.what = what;
    c.request = request;
    c.tid = tid;
    behind.push_back(c);
    return static_cast<std::uint32_t>(behind.size());
  }
};

}  // namespace tailcap::partition
