// Rows of the request table from exchanges, and the processes they belong to.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"
#include "analyze/model/wire/exchange.h"
#include "formats/event_names.h"

namespace tailcap::tail {

// What is known of processes, from the events about tasks.
class ServiceTasks {
 public:
  void push(const formats::Event& event);
  // Name of the process that has this number now; empty: unknown.
  std::string_view comm(std::uint32_t pid) const { return processes_.name(pid); }
  // After the last event: gives each request the name of its service, and the table all that is known of processes.
  void settle(model::RequestTable& table);
  // Those with rows, most first. local: the local endpoint of a connection.
  std::vector<model::ProcessSummary> summaries(const model::RequestTable& table,
                                               const std::function<model::TextId(model::ConnectionId)>& local) const;

 private:
  bool recorded(const model::Processes& processes, std::uint32_t pid) const;
  model::Processes processes_;
  std::unordered_set<std::uint32_t> waiting_;  // processes of which a thread was seen off the CPU
  std::uint32_t last_waiting_ = 0;
};

// Everything of a row that is copied from the exchange: no times, no route, no peer. Interns into texts.
model::Request row_of(const model::Exchange& exchange, const ServiceTasks& tasks, model::TextPool& texts,
                      model::Findings& findings);

// Sorted by (start, id); rows without a start first. Returns where each row was before: new place -> old place.
std::vector<std::uint32_t> sort_rows(model::RequestTable& table);

}  // namespace tailcap::tail
