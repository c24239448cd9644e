#include "capture/log/non_targets.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <cstring>
#include <string_view>
#include <utility>

#include "bpf/event.h"
#include "capture/host/quota.h"
#include "capture/host/system_file.h"
#include "ground/recorder_notes.h"
#include "ground/task_state.h"

namespace tailcap::capture {

namespace {

static_assert(ground::kFreezerArgument == FREEZER);

constexpr std::size_t kCgroupBytes = 4096;

}  // namespace

void NonTargets::take(const formats::Event& event) {
  if (const auto* socket = std::get_if<formats::SocketInfo>(&event.body)) met(socket->peer_pid);
  const auto* off = std::get_if<formats::OffCpu>(&event.body);
  if (!off) return;
  take(*off);
  if (ground::is_by_freezer(off->state, off->argument0) && frozen_.size() < kMost) frozen_.insert(event.thread.pid);
}

void NonTargets::take(const formats::OffCpu& off) {
  met(off.waker);
  // Who sent the signal that stopped it, or froze its cgroup.
  if ((off.state & ground::kTaskStopped || ground::is_by_freezer(off.state, off.argument0)) &&
      off.argument1 <= UINT32_MAX)
    met(static_cast<std::uint32_t>(off.argument1));
}

// Its own cgroup, which was frozen by itself or with one above it.
void NonTargets::tell_frozen(formats::Time now, EventLog& log) {
  for (const std::uint32_t pid : std::exchange(frozen_, {})) {
    const std::string path =
        parse_cgroup_paths(read_system_file("/proc/" + std::to_string(pid) + "/cgroup", kCgroupBytes)).unified;
    if (path.empty() || frozen_in_.size() >= kMost || !frozen_in_.emplace(pid, path).second) continue;
    log.push({now, {pid, pid}, formats::Note{ground::kFrozenNote, path}});
  }
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
  tell_frozen(now, log);
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
