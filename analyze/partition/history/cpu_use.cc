#include "analyze/partition/history/cpu_use.h"

#include <algorithm>

namespace tailcap::partition {

using model::Blocked;

void CpuUse::take(std::uint32_t tid, const model::OffCpuWait& wait) {
  if (wait.woken() && wait.blocked != Blocked::throttled && wait.blocked != Blocked::stopped)
    crowd_.queued(wait.runnable, wait.back);
  if (switched_in_.size() >= most_ && !switched_in_.contains(tid)) return;
  std::int64_t& since = switched_in_[tid];
  if (since != 0 && !wait.lost_before && wait.blocked != Blocked::born) crowd_.ran(since, wait.time);
  since = std::max(since, wait.back);
}

}  // namespace tailcap::partition
