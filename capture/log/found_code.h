// What the finder found in programs and libraries, on its way into the file: probes, Go programs, and what is not
// recorded.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_set>
#include <vector>

#include "capture/allocations/counts.h"
#include "capture/log/event_log.h"
#include "capture/log/loss_counter.h"
#include "capture/log/statements.h"
#include "capture/probes/finder.h"

namespace tailcap::capture {

class FoundCode {
 public:
  // finder: null: nothing is looked for. allocations: the maps of the kernel programs that count them, of Go and by
  // malloc, or -1.
  FoundCode(Finder* finder, EventLog& log, Statements& statements, const LossCounter& losses,
            std::array<int, 2> allocations)
      : finder_(finder),
        log_(log),
        statements_(statements),
        losses_(losses),
        of_go_(allocations[0]),
        by_malloc_(allocations[1]) {}

  // What is new since the last call.
  void push(formats::Time now);
  // All of it, in a keyframe; examines the processes again. Forgets those that are not among them.
  void repeat(formats::Time now, const std::unordered_set<std::uint32_t>& processes);
  void push_allocations(formats::Time now);
  bool any_go() const { return !go_.empty(); }

 private:
  void push_probes(formats::Time now, const std::vector<ProbeFact>& facts);
  void account_for(formats::Time now, const std::vector<ProbeFact>& facts);
  void count_dropped(formats::Time now);
  void push_go(formats::Time now, const go::Fact& fact);

  Finder* finder_;
  EventLog& log_;
  Statements& statements_;
  const LossCounter& losses_;
  AllocationCounts of_go_, by_malloc_;
  std::map<std::uint32_t, go::Fact> go_;                 // Go programs, by process
  std::set<std::shared_ptr<const std::string>> builds_;  // already recorded
};

}  // namespace tailcap::capture
