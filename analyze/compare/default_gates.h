// The gates of a comparison for which none were given: p99 and errors of every route, counts that seldom vary, and
// allocations, CPU time and memory of each program.
#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "analyze/compare/run_sample.h"
#include "analyze/model/gate/comparison.h"

namespace tailcap::compare {

inline constexpr double kDefaultIncrease = 0.10;  // p99, bytes of a response
inline constexpr double kDefaultOwn = 0.05;       // own_p99, own_mean
inline constexpr double kDefaultErrors = 0.0025;  // share
inline constexpr double kDefaultFailed = 0.002;   // failed calls per request
inline constexpr double kDefaultCount = 0.05;     // calls, connects, lookups, retries, sleeps per request
inline constexpr double kDefaultCpu = 0.03;       // CPU time of the process
inline constexpr double kDefaultAllocations = 0.02;
inline constexpr double kDefaultMemory = 1000;  // bytes a request by which its memory grows

// The gates on counts, each for routes where its count seldom varies.
std::vector<model::gate::Gate> gates_on_counts();
// Those on what a process did, each once for a program.
std::vector<model::gate::Gate> gates_on_processes();

// Why counts are no default gates.
inline constexpr const char* kVary = ": vary from request to request; a gate of your own in percent can hold them";

// Puts them into comparison.gates, without estimates and verdicts, and into not_gated what they leave out, and why.
// Counts are gates where nearly every request of the base has the same: one more is no chance there. Exceptions need
// several runs. What is known of processes is the same for all their routes; the one with most requests has the gate,
// if all runs know it. runs: of a route.
void add_default_gates(model::gate::Comparison& comparison,
                       const std::function<const SidesOfRoute&(std::size_t route)>& runs);

// After judge(): moves those to not_gated that noise keeps undecided, and that found no sign of an increase.
void leave_undecidable_out(model::gate::Comparison& comparison);

}  // namespace tailcap::compare
