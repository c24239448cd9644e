#include "capture/log/quota_rounds.h"

#include <algorithm>
#include <string>
#include <vector>

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
  // In the order of their numbers; each round starts where the previous one ended.
  std::vector<std::uint32_t> turns(processes.begin(), processes.end());
  std::sort(turns.begin(), turns.end());
  std::rotate(turns.begin(), std::lower_bound(turns.begin(), turns.end(), next_), turns.end());
  const std::size_t reached = std::min(turns.size(), kQuotaProcesses);
  next_ = reached < turns.size() ? turns[reached] : 0;
  for (std::size_t i = 0; i < reached; i++) {
    for (const Quota& q : quotas_.read(turns[i]))
      log_.push({now,
                 {},
                 CpuQuota{q.cgroup, Duration{q.period}, Duration{q.quota}, q.periods, q.throttled,
                          Duration{q.throttled_time}}});
  }
  count_unread(now, turns.size() - reached);
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
