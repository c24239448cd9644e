// Processes, threads and their states as rows.
#pragma once

#include <span>
#include <string_view>

#include "analyze/model/machine/container.h"
#include "analyze/model/machine/task_facts.h"
#include "analyze/sql/database.h"
#include "formats/event.h"

namespace tailcap::sql {

void insert_processes(Database& database, std::span<const model::ProcessFacts> processes,
                      const model::Containers& containers);
void insert_threads(Database& database, std::span<const model::ThreadFacts> threads);

class ThreadStateRows {
 public:
  explicit ThreadStateRows(Database& database) : row_(database, "thread_state") {}
  void add(std::span<const model::ThreadInterval> intervals);

 private:
  Inserter row_;
};

// CPU time and memory of processes, as they come.
class ProcessUseRows {
 public:
  explicit ProcessUseRows(Database& database) : row_(database, "process_use") {}
  void add(formats::Time time, const formats::ProcessUse& use, model::Upid process);

 private:
  Inserter row_;
};

// Stacks, as they come.
class SampleRows {
 public:
  explicit SampleRows(Database& database) : row_(database, "sample") {}
  // function, caller: of the application; empty: not known.
  void add(const formats::Event& event, const formats::Sample& sample, model::Utid thread, std::string_view function,
           std::string_view caller);

 private:
  Inserter row_;
};

}  // namespace tailcap::sql
