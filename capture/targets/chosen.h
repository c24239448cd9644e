// Which processes are recorded for which name.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "capture/probes/selection.h"
#include "capture/targets/running.h"

namespace tailcap::capture::targets {

using Pids = std::set<std::uint32_t>;
// By "service shop", "container web", "unit shop": those that had the name when it was chosen, also where they have
// another one by now.
using ChosenProcesses = std::map<std::string, Pids>;

// "service shop", …: of services, containers and units.
std::vector<std::string> names_in(const Selection& selection);
ChosenProcesses chosen_by_names(const Selection& selection, std::span<const Running> all);
// Those that have one of the names now, or had it, and the pids.
Pids processes_of(const Selection& selection, std::span<const Running> all, const ChosenProcesses& chosen);
// One of `above` is an ancestor.
bool is_below(std::uint32_t pid, const Pids& above, std::span<const Running> all);

}  // namespace tailcap::capture::targets
