// Rows of the request table from exchanges, and the processes they belong to.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>

#include "analyze/flow/exchange.h"
#include "analyze/flow/request.h"
#include "analyze/flow/study.h"

namespace tailcap::tail {

// What is known of processes, from the events about tasks.
class Tasks {
 public:
  void push(const formats::Event& event);
  // Name of the process; empty: unknown.
  const std::string& comm(std::uint32_t pid) const;
  // Those with rows, most first.
  std::vector<flow::ProcessSummary> summaries(const flow::RequestTable& table) const;

 private:
  struct Task {
    std::string comm, command_line;
  };
  Task* find_or_add(std::uint32_t pid);
  std::unordered_map<std::uint32_t, Task> tasks_;
};

// Everything of a row that is copied from the exchange: no times, no route, no peer. Interns into texts.
flow::Request row_of(const flow::Exchange& exchange, const Tasks& tasks, flow::TextPool& texts,
                     flow::Findings& findings);

// Sorted by (start, id); rows without a start first. Returns where each row was before: new place -> old place.
std::vector<std::uint32_t> sort_rows(flow::RequestTable& table);

}  // namespace tailcap::tail
