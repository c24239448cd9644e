#include "analyze/tail/verdict/takers.h"

#include <algorithm>
#include <numeric>

#include "analyze/model/machine/container.h"

namespace tailcap::tail::verdict {
namespace {

using model::Origin;

// Others had the CPUs if the recorded processes used less than this share of them.
constexpr double kOwnTaking = 0.5;
// Less than this share of the CPUs delays no thread.
constexpr double kLeastStolen = 0.1, kLeastRecorder = 0.2;
// The kernel counts what is stolen in its ticks, per CPU.
constexpr std::int64_t kStolenStep = 10'000'000;
constexpr double kLeastUser = 0.01;                   // of a quota, CPUs
constexpr std::int64_t kWrittenBack = 1'000'000'000;  // ns before a wait for a disk

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

namespace {

bool in_group(const model::Processes& processes, std::uint32_t pid, formats::Time at, std::string_view group) {
  const model::Processes::Life* life = processes.at(pid, at);
  return life && model::in_cgroup(life->cgroup, group);
}

std::vector<model::CpuAccount::Interval> longer(std::span<const model::Crowd::Interval> of, std::int64_t before) {
  std::vector<model::CpuAccount::Interval> out;
  for (const auto& i : of) out.emplace_back(i.from - before, i.to);
  return out;
}

bool waits_for_memory(model::Label label) { return model::name_of(label).starts_with("mem."); }

std::optional<model::MemoryPressure> pressure_over(const model::MemoryLimits& limits, const model::Processes& processes,
                                                   std::span<const model::CpuAccount::Interval> of) {
  const auto found = limits.over(of);
  if (!found) return std::nullopt;
  model::MemoryPressure out{found->cgroup, found->limit, found->reached, {}};
  for (const auto& user : found->users)
    out.users.push_back({std::string(processes.name(user.pid)), user.pid, user.bytes});
  return out;
}

bool waits_for_disk(model::Label label) {
  using model::Label;
  return label == Label::io_disk || label == Label::io_throttled || label == Label::io_blocked ||
         label == Label::io_writeback || label == Label::mem_majfault;
}

}  // namespace

void name_users(model::VerdictPart& part, const model::RequestTable& table, const model::MemoryLimits& limits,
                std::span<const model::Crowd::Interval> of) {
  const auto quota = [&](std::optional<model::CulpritStudy>& who) {
    if (!who || who->group.path.empty() || of.empty()) return;
    const formats::Time at = formats::time_from(of.front().from);
    const auto users =
        table.cpus.users(longer(of, std::max<std::int64_t>(0, who->group.period)),
                         [&](std::uint32_t pid) { return in_group(table.processes, pid, at, who->group.path); });
    for (const auto& user : users)
      if (user.cpus >= kLeastUser) who->users.push_back(user);
  };
  quota(part.who);
  for (model::VerdictStep& step : part.chain) quota(step.who);
  if (waits_for_memory(part.root) || waits_for_disk(part.root))
    part.memory = pressure_over(limits, table.processes, longer(of, 0));
  // A limit explains them better than the spread of what it leaves.
  if (part.memory && part.origin == Origin::spread) part.origin = Origin::service;
  const bool by_process = part.who && part.who->pid != 0;  // it ended the wait: a disk did not
  if (!(waits_for_disk(part.root) || waits_for_memory(part.root)) || by_process) return;
  // What is written to files reaches the disk later.
  part.disk_users = table.cpus.disk_users(longer(of, kWrittenBack));
}

bool may_be_stolen(const model::CpuAccount& account, std::int64_t time, unsigned cpus) {
  if (!account.tells_steal()) return true;
  return !account.threads_tell() && time <= 2 * (account.stolen() + std::max(1u, cpus) * kStolenStep);
}

}  // namespace tailcap::tail::verdict
