// A service with a thread per request and known labels: at random, everything that a thread can wait for, with the
// label of each nanosecond.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analyze/model/label.h"
#include "tests/synth/scenario.h"

namespace tailcap::synth {

struct LabelledTruth {
  std::string target;
  Duration start{}, end{};
  std::map<model::Label, Duration> labels;  // their sum is end - start
};

// Adds `threads` single-threaded processes to the scenario, with pids from 10, each with `requests` requests one after
// another, starting at `from`. The same seed gives the same events; another `from`, in tenths of a second, gives other
// processes.
std::vector<LabelledTruth> labelled_service(Scenario& scenario, std::uint64_t seed, std::uint32_t threads,
                                            std::uint32_t requests, Duration from = Duration{});

}  // namespace tailcap::synth
