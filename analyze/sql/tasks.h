// Processes and threads with numbers that are unique in a capture, because the kernel's are reused.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/sql/database.h"
#include "formats/event.h"

namespace tailcap::sql {

using Utid = std::uint32_t;  // from 1; 0: not known. Likewise Upid.
using Upid = std::uint32_t;

class Tasks {
 public:
  static constexpr std::size_t kMax = 1u << 20;  // threads; further ones are not known

  void push(const formats::Event& event);
  // The thread that has this number now, at the last event; it is added where it was not seen before.
  Utid thread(formats::Thread thread);
  Utid thread(std::uint32_t tid) { return thread({0, tid}); }
  // After all events: the one that had it at `at`.
  Utid thread_at(std::uint32_t tid, formats::Time at) const;
  Upid process_at(std::uint32_t pid, formats::Time at) const;

  void insert_processes(Database& database) const;
  void insert_threads(Database& database) const;

 private:
  struct Process {
    std::uint32_t pid = 0;
    Upid parent = 0;
    std::string name, command_line, executable, cgroup;
    formats::Time start = formats::kNoTime, end = formats::kNoTime;
    std::int32_t exit_code = 0;
  };
  struct Thread {
    std::uint32_t tid = 0;
    Upid process = 0;
    std::string name;
    formats::Time start = formats::kNoTime, end = formats::kNoTime;
  };
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

  std::vector<Process> processes_;
  std::vector<Thread> threads_;
  Holders by_pid_, by_tid_;
};

}  // namespace tailcap::sql
