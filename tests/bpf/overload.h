// Workloads that produce more than a small ring or a small kernel map can take, and print how much of it: lines of
// "produced KIND COUNT", and what else a test has to know. The recorder is their parent; they stop it for a while.
#pragma once

#include <string>

namespace tailcap::workload {

// Whether there is a scenario of that name; then it has been run.
bool run_overload(const std::string& name);

}  // namespace tailcap::workload
