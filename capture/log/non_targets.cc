#include "capture/log/non_targets.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "bpf/event.h"
#include "ground/task_state.h"

namespace tailcap::capture {

void NonTargets::take(const formats::OffCpu& off) {
  met(off.waker);
  // Who sent the signal that stopped it.
  if (off.state & ground::kTaskStopped && off.argument1 <= UINT32_MAX) met(static_cast<std::uint32_t>(off.argument1));
}

void NonTargets::push(formats::Time now, const Shown& shown, EventLog& log) const {
  log.push({now, shown.thread,
            formats::TaskInfo{.parent_pid = shown.facts.parent_pid,
                              .comm = shown.facts.comm,
                              .cgroup = shown.thread.pid == shown.thread.tid ? std::string_view(shown.facts.cgroup)
                                                                             : std::string_view(),
                              .service = shown.service}});
}

std::vector<std::uint32_t> NonTargets::tick(formats::Time now, const std::unordered_set<std::uint32_t>& targets,
                                            EventLog& log) {
  std::vector<std::uint32_t> processes;
  for (std::size_t n = 0; n < kMostAtOnce && !new_.empty(); ++n) {
    const std::uint32_t tid = new_.back();
    new_.pop_back();
    std::uint32_t pid = process_of_thread(tid);
    bpf::waker whose{};
    if (pid == 0 && wakers_ >= 0 && bpf_map_lookup_elem(wakers_, &tid, &whose) == 0) pid = whose.process;
    if (pid == 0 || targets.contains(pid)) continue;
    const auto own = static_cast<std::uint32_t>(getpid());
    for (const std::uint32_t one : {pid, tid}) {
      if (shown_.contains(one)) continue;
      ProcessFacts facts = process_facts(one);
      if (pid == own || facts.parent_pid == own) break;  // the recorder and the processes that read files for it
      Shown& shown = shown_[one];
      shown.thread = {pid, one};
      shown.facts = std::move(facts);
      if (shown.facts.comm.empty()) shown.facts.comm.assign(whose.comm, strnlen(whose.comm, sizeof whose.comm));
      push(now, shown, log);
      if (one == pid) processes.push_back(pid);
    }
  }
  return processes;
}

void NonTargets::name(formats::Time now, std::uint32_t pid, const std::string& service, EventLog& log) {
  const auto at = shown_.find(pid);
  if (at == shown_.end() || at->second.service == service) return;
  at->second.service = service;
  push(now, at->second, log);
}

void NonTargets::repeat(formats::Time now, EventLog& log) const {
  for (const auto& [tid, shown] : shown_) push(now, shown, log);
}

}  // namespace tailcap::capture
