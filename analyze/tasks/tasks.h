// Processes and threads with numbers that are unique in a capture, because the kernel's are reused.
#pragma once

#include <cstdint>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "analyze/model/machine/container.h"
#include "analyze/model/machine/task_facts.h"
#include "formats/event_names.h"
#include "formats/thread_event.h"

namespace tailcap::tasks {

using model::Upid;
using model::Utid;

class Tasks {
 public:
  static constexpr std::size_t kMax = 1u << 20;  // processes, and threads; further ones are not known

  void push(const formats::Event& event);
  // The thread that has this number now, at the last event; it is added where it was not seen before.
  Utid thread(formats::Thread thread);
  Utid thread(std::uint32_t tid) { return thread({0, tid}); }
  // After all events: the one that had it at `at`.
  Utid thread_at(std::uint32_t tid, formats::Time at) const;
  Upid process_at(std::uint32_t pid, formats::Time at) const;

  std::uint64_t beyond() const { return beyond_; }  // times that a process or thread beyond kMax was met

  // Entry n is that of upid, or utid, n + 1.
  std::span<const model::ProcessFacts> processes() const { return processes_; }
  std::span<const model::ThreadFacts> threads() const { return threads_; }
  const model::Containers& containers() const { return containers_; }

 private:
  // Those that had one number, in order of time.
  using Holders = std::unordered_map<std::uint32_t, std::vector<std::uint32_t>>;

  Upid process(std::uint32_t pid, bool fresh, formats::Time now);
  Utid add(formats::Thread thread, bool fresh, formats::Time now);
  void start(const formats::Event& event, const formats::TaskStart& start);
  void describe(const formats::Event& event, const formats::TaskInfo& info);
  void exit(const formats::Event& event, const formats::TaskExit& exit);
  template <class Task>
  static std::uint32_t held_at(const Holders& holders, const std::vector<Task>& all, std::uint32_t number,
                               formats::Time at);

  std::vector<model::ProcessFacts> processes_;
  std::vector<model::ThreadFacts> threads_;
  Holders by_pid_, by_tid_;
  std::unordered_map<Upid, std::uint32_t> living_;  // threads that have been met and have not ended
  std::unordered_set<Upid> left_by_main_;           // processes whose main thread has ended
  model::Containers containers_;
  std::uint64_t beyond_ = 0;
};

}  // namespace tailcap::tasks
