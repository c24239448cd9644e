// A service with a thread per request whose requests' labels are known: everything that a thread can wait for, by
// chance, and what each nanosecond of it must be called.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analyze/flow/label.h"
#include "tests/synth/scenario.h"

namespace tailcap::synth {

struct LabelledTruth {
  std::string target;
  Duration start{}, end{};
  std::map<flow::Label, Duration> labels;  // their sum is end - start
};

// Adds `threads` processes of one thread, from 10 on, to the scenario, each with `requests` requests one after the
// other, from `from` on. The same seed gives the same events; another time `from`, in tenths of a second, other
// processes.
std::vector<LabelledTruth> labelled_service(Scenario& scenario, std::uint64_t seed, std::uint32_t threads,
                                            std::uint32_t requests, Duration from = Duration{});

}  // namespace tailcap::synth
