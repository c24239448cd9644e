#include "analyze/tasks/tasks.h"

#include "analyze/model/machine/processes.h"
#include "formats/event.h"

namespace tailcap::tasks {

using formats::kNoTime;
using formats::known;
using formats::Time;

Upid Tasks::process(std::uint32_t pid, bool fresh, Time now) {
  if (pid == 0) return 0;
  auto& holders = by_pid_[pid];
  if (!holders.empty() && !fresh) return holders.back() + 1;
  if (processes_.size() >= kMax) {
    ++beyond_;
    return 0;
  }
  holders.push_back(static_cast<std::uint32_t>(processes_.size()));
  model::ProcessFacts& added = processes_.emplace_back();
  added.pid = pid;
  added.upid = static_cast<Upid>(processes_.size());
  if (fresh) added.start = now;
  return added.upid;
}

Utid Tasks::add(formats::Thread thread, bool fresh, Time now) {
  if (thread.tid == 0) return 0;
  auto& holders = by_tid_[thread.tid];
  if (holders.empty() || fresh) {
    if (threads_.size() >= kMax) {
      ++beyond_;
      return 0;
    }
    holders.push_back(static_cast<std::uint32_t>(threads_.size()));
    threads_.emplace_back().tid = thread.tid;
    threads_.back().utid = static_cast<Utid>(threads_.size());
    if (fresh) threads_.back().start = now;
  }
  const Utid utid = holders.back() + 1;
  model::ThreadFacts& found = threads_[utid - 1];
  if (found.process == 0 && thread.pid != 0) {
    found.process = process(thread.pid, false, now);
    if (found.process != 0) ++living_[found.process];
    found.main = thread.pid == thread.tid;
  }
  return utid;
}

Utid Tasks::thread(formats::Thread thread) { return add(thread, false, kNoTime); }

void Tasks::start(const formats::Event& event, const formats::TaskStart& start) {
  const bool leader = event.thread.pid == event.thread.tid;
  const Upid parent = process(start.parent.pid, false, event.time);
  if (leader) {
    const Upid upid = process(event.thread.pid, true, event.time);
    if (upid != 0) {
      processes_[upid - 1].parent = parent;
      // It runs what its parent runs, until it loads another program.
      const bool of_parent = parent != 0 && !processes_[parent - 1].service.empty();
      processes_[upid - 1].name = of_parent ? processes_[parent - 1].service : std::string(start.comm);
      if (of_parent) processes_[upid - 1].service = processes_[parent - 1].service;
    }
  }
  if (const Utid utid = add(event.thread, true, event.time); utid != 0) threads_[utid - 1].name = start.comm;
}

void Tasks::describe(const formats::Event& event, const formats::TaskInfo& info) {
  const Utid utid = thread(event.thread);
  const auto keep = [](std::string& known_text, std::string_view text) {
    if (!text.empty()) known_text = text;
  };
  if (utid != 0) keep(threads_[utid - 1].name, info.comm);
  if (event.thread.pid != event.thread.tid) return;
  const Upid upid = process(event.thread.pid, false, event.time);
  if (upid == 0) return;
  const Upid parent = process(info.parent_pid, false, event.time);
  model::ProcessFacts& p = processes_[upid - 1];
  keep(p.name, model::name_of(info));
  if (!info.executable.empty() || !info.service.empty()) p.service = info.service;
  keep(p.command_line, info.command_line);
  keep(p.executable, info.executable);
  keep(p.cgroup, info.cgroup);
  if (parent != 0) p.parent = parent;
  const bool whole = event.thread.pid == event.thread.tid;
  if (whole && known(info.started) && !known(p.start)) p.start = info.started;
}

void Tasks::exit(const formats::Event& event, const formats::TaskExit& exit) {
  const Utid utid = thread(event.thread);
  const Upid upid = process(event.thread.pid, false, event.time);
  if (utid != 0) {
    model::ThreadFacts& ended = threads_[utid - 1];
    if (upid != 0 && ended.process == upid && !known(ended.end)) --living_[upid];
    ended.end = event.time;
  }
  if (upid == 0) return;
  // It ends with its last thread, which need not be the main one.
  if (event.thread.pid == event.thread.tid) {
    processes_[upid - 1].exit_code = exit.code;
    left_by_main_.insert(upid);
  }
  if (left_by_main_.contains(upid) && living_[upid] == 0) processes_[upid - 1].end = event.time;
}

void Tasks::push(const formats::Event& event) {
  containers_.push(event);
  if (const auto* begun = std::get_if<formats::TaskStart>(&event.body)) return start(event, *begun);
  if (const auto* info = std::get_if<formats::TaskInfo>(&event.body)) return describe(event, *info);
  if (const auto* ended = std::get_if<formats::TaskExit>(&event.body)) return exit(event, *ended);
  if (const auto* loaded = std::get_if<formats::TaskExec>(&event.body)) {
    const Utid utid = thread(event.thread);
    if (utid != 0) threads_[utid - 1].name = loaded->comm;
    if (const Upid upid = process(event.thread.pid, false, event.time); upid != 0) {
      // Only the thread that loaded the program is left. It has the main thread's number now.
      living_[upid] = 1;
      left_by_main_.erase(upid);
      if (utid != 0) threads_[utid - 1].end = kNoTime;
      processes_[upid - 1].name = loaded->comm;
      processes_[upid - 1].service.clear();
      if (!loaded->filename.empty()) processes_[upid - 1].executable = loaded->filename;
    }
    return;
  }
  if (event.thread.tid != 0) thread(event.thread);
}

template <class Task>
std::uint32_t Tasks::held_at(const Holders& holders, const std::vector<Task>& all, std::uint32_t number, Time at) {
  const auto found = holders.find(number);
  if (found == holders.end() || found->second.empty()) return 0;
  std::uint32_t out = found->second.front();
  for (const std::uint32_t one : found->second)
    if (!known(all[one].start) || all[one].start <= at) out = one;
  return out + 1;
}

Utid Tasks::thread_at(std::uint32_t tid, Time at) const { return held_at(by_tid_, threads_, tid, at); }
Upid Tasks::process_at(std::uint32_t pid, Time at) const { return held_at(by_pid_, processes_, pid, at); }

}  // namespace tailcap::tasks
