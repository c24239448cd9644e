// Off-CPU intervals as rows of thread_state, with the time on a CPU between them.
#pragma once

#include <cstdint>
#include <vector>

#include "analyze/sql/database.h"
#include "analyze/sql/tasks.h"
#include "formats/event.h"

namespace tailcap::sql {

class ThreadStates {
 public:
  // Both must outlive this. tasks has seen the event before this does.
  ThreadStates(Database& database, Tasks& tasks) : row_(database, "thread_state"), tasks_(tasks) {}
  void push(const formats::Event& event);

 private:
  struct Interval {
    std::int64_t from = 0, to = 0;
    std::string_view state, function, wait;
    Utid utid = 0, waker = 0;
    int irq = -1;  // -1: not known
    bool throttled = false, runnable_known = true, ongoing = false;
    std::uint64_t goroutine = 0;
  };
  void insert(const Interval& interval);

  Inserter row_;
  Tasks& tasks_;
  std::vector<std::int64_t> running_since_;  // by utid; 0: not known
};

}  // namespace tailcap::sql
