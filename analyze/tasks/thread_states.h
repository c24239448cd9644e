// Off-CPU intervals of threads as states, with the time on a CPU between them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analyze/model/machine/task_facts.h"
#include "analyze/tasks/tasks.h"
#include "formats/event_names.h"

namespace tailcap::tasks {

class ThreadStates {
 public:
  // tasks must outlive this; it may have seen the event.
  explicit ThreadStates(Tasks& tasks) : tasks_(tasks) {}
  // Intervals that this event ended, in order of time; valid until the next call.
  std::span<const model::ThreadInterval> push(const formats::Event& event);

 private:
  Tasks& tasks_;
  std::vector<std::int64_t> running_since_;  // by utid; 0: not known
  std::vector<model::ThreadInterval> done_;
};

}  // namespace tailcap::tasks
