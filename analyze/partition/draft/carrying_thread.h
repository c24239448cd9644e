// The thread that carries a request, in an interval of it, and what is labelled of its waits.
#pragma once

#include <cstdint>
#include <span>

#include "analyze/partition/draft/calls.h"
#include "analyze/partition/draft/draft.h"
#include "analyze/partition/history/lock_holders.h"

namespace tailcap::partition {

// All that it is made of must outlive it.
struct CarryingThread {
  CarryingThread(const DraftContext& context, std::uint32_t thread, const ThreadLog& its_log,
                 std::span<const Call> its_calls, Draft& into)
      : k(context),
        tid(thread),
        log(its_log),
        calls(its_calls),
        draft(into),
        holders(context.windows, context.observed, into.w, thread) {}

  // Outside [from, to) nothing is labelled.
  void add(Nanos begin, Nanos end, model::Label label, model::Evidence evidence = model::Evidence::measured,
           std::uint32_t who = 0);
  // The wait until then: the delay recorded in the kernel meanwhile gives the reason; without one, the system call
  // does.
  void add_plain(const OffCpuWait& wait, Nanos until);

  const DraftContext& k;
  const std::uint32_t tid;
  const ThreadLog& log;
  const std::span<const Call> calls;
  Draft& draft;
  const LockHolders holders;
  Nanos from = 0, to = 0;

 private:
  std::uint32_t other_process(const OffCpuWait& wait);
};

}  // namespace tailcap::partition
