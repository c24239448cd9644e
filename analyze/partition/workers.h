// Threads that worked for an event loop while a request of it waited.
#pragma once

#include <optional>

#include "analyze/partition/draft/draft.h"

namespace tailcap::partition {

// An arrival shortly before the wake-up is what woke it.
inline constexpr Nanos kPrompt = 1'000'000;

class Workers {
 public:
  // turns: those of the request; range: of its window. All must outlive this.
  Workers(const DraftContext& k, const ThreadLog& log, const LoopTimeline& timeline, LoopTimeline::Range range,
          const LoopTimeline::Own& turns, std::uint32_t tid, const Draft& draft)
      : k_(k), log_(log), timeline_(timeline), range_(range), own_(turns), tid_(tid), draft_(draft) {}

  struct Taken {
    Nanos at = 0;
    model::ExchangeId behind{};
    std::uint32_t tid = 0;
    std::uint64_t places = 0;  // PoolOfConnections::number() of the threads, which were all busy; 0: not known
  };
  // The loop was woken by a thread that works only for it, and that had been busy since before the request was handed
  // over: it took this when it had given back what it did last before; behind: whose job took it longest of those since
  // `from`. Unset: there is no such thread.
  std::optional<Taken> taken_late(Nanos from, const OffCpuWait& idle) const;
  // The loop was woken by a thread of a pool (libuv's), and all of its threads were busy when the request had handed
  // its job over: none of them can have taken it before one was done. At `from`: one was idle, or that is not known.
  Taken all_busy(Nanos from, const OffCpuWait& idle) const;
  // The thread belongs to another process, or to none that is known; 0: no thread.
  bool elsewhere(std::uint32_t tid) const;
  // No other thread of the process was on a CPU just then, so none of them woke the loop.
  bool alone(Nanos woken) const;
  // The loop had started or woken a thread of its process in the request's turn, and was woken when that sent it
  // something or was about: it worked on the request since. tid 0: there is none.
  Wake worker(Nanos from, Nanos woken) const;

 private:
  // Threads that wait for jobs where this one does: how many, if all of them are known and were busy at `from`; 0
  // otherwise. done: when the first of them waited for a job again, if that is earlier.
  std::uint32_t busy_threads(const ThreadLog& one, Nanos from, Nanos& done) const;
  // Another request, with which the loop went on when a thread had given it a result.
  model::ExchangeId went_on_with(Nanos given) const;
  // The thread was on a CPU just before t, as far as is known; one without a later switch-in does not count.
  bool active(std::uint32_t tid, Nanos t) const;

  const DraftContext& k_;
  const ThreadLog& log_;
  const LoopTimeline& timeline_;
  const LoopTimeline::Range range_;
  const LoopTimeline::Own& own_;
  const std::uint32_t tid_;
  const Draft& draft_;
};

}  // namespace tailcap::partition
