#include "capture/log/quota_rounds.h"

#include <algorithm>
#include <string>

#include "capture/log/turns.h"

namespace tailcap::capture {

using namespace formats;

namespace {

// About 20 µs for each process.
constexpr Duration kQuotasEvery{1'000'000'000};
constexpr std::size_t kQuotaProcesses = 256;

}  // namespace

bool QuotaRounds::due(Time now) const { return !known(read_) || now - read_ >= kQuotasEvery; }

void QuotaRounds::push(Time now, const std::unordered_set<std::uint32_t>& processes) {
  read_ = now;
  quotas_.begin();
  const auto turns = turn_of(processes, kQuotaProcesses, next_);
  for (const std::uint32_t pid : turns) {
    for (const Quota& q : quotas_.read(pid))
      log_.push({now,
                 {},
                 CpuQuota{q.cgroup, Duration{q.period}, Duration{q.quota}, q.periods, q.throttled,
                          Duration{q.throttled_time}}});
  }
  count_unread(now, processes.size() - turns.size());
}

// Noted once in the capture, and reported at the end with the maximum of all rounds.
void QuotaRounds::count_unread(Time now, std::size_t processes) {
  const std::size_t unread = processes + quotas_.unread();
  if (unread == 0) return;
  if (log_.tally().quotas_unread == 0)
    statements_.note(now, "tailcap.quotas",
                     "more than " + std::to_string(kQuotaProcesses) + " processes or " +
                         std::to_string(Quotas::kMaxCgroups) +
                         " cgroups: their CPU quotas are read in turns, not all of them every second");
  log_.tally().quotas_unread = std::max<std::uint64_t>(log_.tally().quotas_unread, unread);
}

}  // namespace tailcap::capture
