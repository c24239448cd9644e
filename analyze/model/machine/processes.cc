#include "analyze/model/machine/processes.h"

#include <utility>

#include "formats/event.h"
#include "formats/thread_event.h"

namespace tailcap::model {

using formats::kNoTime;
using formats::known;
using formats::Time;

namespace {

// A start is known to a tick of the kernel's clock.
constexpr formats::Duration kTick{20'000'000};

}  // namespace

Processes::Holder* Processes::find_or_add(std::uint32_t pid) {
  if (const auto at = lives_.find(pid); at != lives_.end()) return &at->second;
  if (pid == 0 || full()) return nullptr;
  Holder& added = lives_[pid];
  added.lives.emplace_back();
  return &added;
}

void Processes::change(Holder& holder) {
  if (!std::exchange(holder.changed, true)) ++changes_;
}

void Processes::rename(Holder& holder, Life& life, Time at, std::string_view text, bool described) {
  if (text.empty()) return;
  if (life.names.empty()) {
    life.names.push_back({life.began, std::string(text), described});
    return;
  }
  Name& last = life.names.back();
  if (last.text == text) {
    last.described = last.described || described;
    return;
  }
  change(holder);
  // What is described is what the kernel only named before.
  if (described && !last.described) {
    last.text = text;
    last.described = true;
  } else if (life.names.size() < kMaxNames) {
    life.names.push_back({at, std::string(text), described});
  }
}

void Processes::start(const formats::Event& event, const formats::TaskStart& start) {
  // It runs what its parent runs, until it loads another program.
  std::string name(start.comm);
  std::string executable, command_line;
  if (const auto parent = lives_.find(start.parent.pid); parent != lives_.end() && start.parent.pid != 0) {
    const Life& of = parent->second.lives.back();
    if (!of.names.empty() && of.names.back().described) name = of.names.back().text;
    executable = of.executable;
    command_line = of.command_line;
  }
  const bool seen = lives_.contains(event.thread.pid);
  Holder* holder = find_or_add(event.thread.pid);
  if (!holder) return;
  if (seen) {
    change(*holder);
    if (holder->lives.size() < kMaxLives)
      holder->lives.emplace_back();
    else
      holder->lives.back() = {};
  }
  Life& life = holder->lives.back();
  life.began = event.time;
  life.executable = std::move(executable);
  life.command_line = std::move(command_line);
  life.names.push_back({event.time, std::move(name), false});
}

void Processes::describe(const formats::Event& event, const formats::TaskInfo& info) {
  Holder* holder = find_or_add(event.thread.pid);
  if (!holder) return;
  Life* life = &holder->lives.back();
  const bool leader = event.thread.pid == event.thread.tid;
  if (!leader) {
    if (life->names.empty()) rename(*holder, *life, event.time, info.comm, false);
    return;
  }
  // It began after the one that had the number was last described: another process, whose start was not seen.
  if (known(info.started) && known(life->described) && info.started > life->described + kTick &&
      (!known(life->began) || info.started > life->began + kTick) && holder->lives.size() < kMaxLives) {
    change(*holder);
    life = &holder->lives.emplace_back();
    life->began = info.started;
  }
  // A thread that was listed before its process could be looked at says nothing of what it runs.
  const bool listed = known(info.started);
  const bool whole = !info.executable.empty() || !info.service.empty() || (listed && life->executable.empty());
  if (listed) life->described = event.time;
  if (whole || !listed || life->names.empty()) rename(*holder, *life, event.time, name_of(info), whole);
  if (!info.command_line.empty()) life->command_line = info.command_line.substr(0, kMaxCommandLine);
  if (!info.executable.empty()) life->executable = info.executable;
  if (!info.cgroup.empty()) life->cgroup = info.cgroup;
  if (known(info.started)) life->started = info.started;
}

std::string_view name_of(const formats::TaskInfo& info) { return info.service.empty() ? info.comm : info.service; }

void Processes::keep_thread(formats::Thread thread, std::string_view comm) {
  if (thread.tid == 0 || comm.empty() || (threads_.size() >= kMaxThreads && !threads_.contains(thread.tid))) return;
  Thread& kept = threads_[thread.tid];
  kept.pid = thread.pid;
  kept.name = comm;
}

const Processes::Thread* Processes::thread(std::uint32_t tid) const {
  const auto at = threads_.find(tid);
  return at == threads_.end() ? nullptr : &at->second;
}

void Processes::push(const formats::Event& event) {
  if (const auto* info = std::get_if<formats::TaskInfo>(&event.body)) {
    keep_thread(event.thread, info->comm);
    describe(event, *info);
  } else if (const auto* begun = std::get_if<formats::TaskStart>(&event.body)) {
    keep_thread(event.thread, begun->comm);
    if (event.thread.pid == event.thread.tid) start(event, *begun);
  } else if (const auto* exec = std::get_if<formats::TaskExec>(&event.body)) {
    keep_thread(event.thread, exec->comm);
    Holder* holder = find_or_add(event.thread.pid);
    if (!holder) return;
    Life& life = holder->lives.back();
    if (!life.names.empty()) life.names.back().described = true;  // what comes is of the new program
    rename(*holder, life, event.time, exec->comm, false);
    if (!life.names.empty()) life.names.back().described = false;
    life.executable = exec->filename;
    life.command_line.clear();
  }
}

std::string_view Processes::name(std::uint32_t pid) const {
  const auto at = lives_.find(pid);
  if (at == lives_.end() || at->second.lives.back().names.empty()) return {};
  return at->second.lives.back().names.back().text;
}

std::uint32_t Processes::life_at(std::uint32_t pid, Time at) const {
  const auto found = lives_.find(pid);
  if (found == lives_.end()) return 0;
  const std::vector<Life>& lives = found->second.lives;
  std::size_t number = lives.size() - 1;
  while (number > 0 && known(at) && known(lives[number].began) && lives[number].began > at) --number;
  return static_cast<std::uint32_t>(number);
}

const Processes::Life* Processes::life(std::uint32_t pid, std::uint32_t number) const {
  const auto found = lives_.find(pid);
  return found == lives_.end() || number >= found->second.lives.size() ? nullptr : &found->second.lives[number];
}

std::string_view Processes::name_in(const Life& life, Time at) {
  std::string_view name = life.names.empty() ? std::string_view{} : life.names.front().text;
  for (const Name& one : life.names)
    if (!known(at) || !known(one.since) || one.since <= at) name = one.text;
  return name;
}

bool Processes::changed(std::uint32_t pid) const {
  const auto at = lives_.find(pid);
  return at != lives_.end() && at->second.changed;
}

}  // namespace tailcap::model
