// Workloads that produce more than a small ring or kernel map can hold, and print how much: lines "produced KIND
// COUNT", and other data for the test. The recorder is their parent; they stop it for a while.
#pragma once

#include <string>

namespace tailcap::workload {

// Runs the scenario of that name. False: there is none.
bool run_overload(const std::string& name);

}  // namespace tailcap::workload
