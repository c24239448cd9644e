// The processes that run on this machine, as users name them: by service, container, unit, script or program.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/probes/selection.h"
#include "capture/scan/processes.h"

namespace tailcap::capture::targets {

struct Running {
  std::uint32_t pid = 0, parent = 0;
  std::string comm, executable;
  std::string service;                  // what an interpreter runs; empty: comm is its name
  std::string unit;                     // of systemd, without ".service"; empty: none
  std::string container;                // its id; empty: none
  std::vector<std::string> containers;  // names of the container, its pod, and both
  std::string unified;                  // its cgroup in the unified hierarchy
};

// All but threads of the kernel. Takes milliseconds, and as long as a process does not answer at most two seconds.
std::vector<Running> running(const scan::Processes& processes);

// Whether --service, --container or --unit with this name means it. A container is named by 12 digits of its id, too.
bool means_service(std::string_view name, const Running& one);
bool means_container(std::string_view name, const Running& one);
bool means_unit(std::string_view name, const Running& one);

// What there is instead of a process that `name` does not mean; a sentence's rest: "; python3 runs gunicorn as 3240,
// 3241: --service gunicorn". Empty: nothing that is like it.
std::string found_instead(std::string_view name, std::span<const Running> all);

// Adds the processes that services, containers and units name to the selection: the uppermost of each tree. Where they
// are a cgroup of the unified hierarchy, and no other is chosen, the cgroup is chosen, so that later processes of it
// are recorded, too. mount: of that hierarchy; empty: none. Throws std::runtime_error with what was found instead where
// a name means nothing.
void choose(Selection& selection, std::span<const Running> all, const std::string& mount);

// What to tell a user who gave names of which no process has one now.
std::vector<std::string> doubts_of_names(const Selection& selection, std::span<const Running> all);

}  // namespace tailcap::capture::targets
