#include "analyze/tail/verdict/takers.h"

#include <algorithm>
#include <numeric>

namespace tailcap::tail::verdict {
namespace {

using model::Origin;

// Others had the CPUs if the recorded processes used less than this share of them.
constexpr double kOwnTaking = 0.5;
// Less than this share of the CPUs delays no thread.
constexpr double kLeastStolen = 0.1, kLeastRecorder = 0.2;
// The kernel counts what is stolen in its ticks, per CPU.
constexpr std::int64_t kStolenStep = 10'000'000;

}  // namespace

model::CpuAccount::Use use_over(const model::CpuAccount& account, std::span<const model::Crowd::Interval> of) {
  std::vector<model::CpuAccount::Interval> intervals;
  for (const auto& i : of) intervals.emplace_back(i.from, i.to);
  return account.over(intervals);
}

Origin origin_of_shortage(double own, const model::CpuAccount::Use& use, unsigned cpus) {
  const double all = std::max(1u, cpus);
  if (!use.known) return own >= kOwnTaking ? Origin::own_load : Origin::machine;
  // A thread on a CPU that the hypervisor has taken away does not use it.
  own = std::min(own, use.own / all);
  const double others = std::accumulate(use.takers.begin(), use.takers.end(), 0.0,
                                        [](double sum, const auto& taker) { return sum + taker.cpus; });
  if (use.steal >= kLeastStolen * all && use.steal >= std::max({own * all, others, use.recorder}))
    return Origin::hypervisor;
  if (own >= kOwnTaking) return Origin::own_load;
  if (use.recorder >= kLeastRecorder * all && use.recorder >= std::max(own * all, others)) return Origin::recorder;
  return Origin::machine;
}

bool may_be_stolen(const model::CpuAccount& account, std::int64_t time, unsigned cpus) {
  if (!account.tells_steal()) return true;
  return !account.threads_tell() && time <= 2 * (account.stolen() + std::max(1u, cpus) * kStolenStep);
}

}  // namespace tailcap::tail::verdict
