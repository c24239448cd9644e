// Processes, threads and their states as rows.
#pragma once

#include <span>

#include "analyze/model/machine/container.h"
#include "analyze/model/machine/task_facts.h"
#include "analyze/sql/database.h"

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

}  // namespace tailcap::sql
