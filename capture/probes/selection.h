// The targets of a recording: the union of everything that was selected on the command line.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace tailcap::capture {

struct Selection {
  std::vector<std::uint32_t> pids;
  std::vector<std::string> comms;
  std::vector<std::uint16_t> ports;  // at most 8
  // Names, for which processes or a cgroup are chosen before the recording begins (capture/targets/running.h).
  std::vector<std::string> services, containers, units;
  std::string cgroup;                                     // a directory of the unified hierarchy; empty: none
  std::vector<std::string> cgroup_names;                  // "unit shop": for which it was chosen; empty: it was given
  std::map<std::string, std::set<std::uint32_t>> chosen;  // the processes that had each of these names ("unit shop")
  bool all = false;
  std::vector<std::string> command;  // to be started and recorded; empty: none

  bool named() const { return !services.empty() || !containers.empty() || !units.empty(); }
  bool empty() const {
    return pids.empty() && comms.empty() && ports.empty() && !named() && cgroup.empty() && !all && command.empty();
  }
  // No process can join later except children of the present ones: recording ends when they have ended.
  bool closed() const { return comms.empty() && ports.empty() && cgroup.empty() && !all; }
  // Whole processes are selected, not only their traffic on some port.
  bool processes() const {
    return !pids.empty() || !comms.empty() || named() || !cgroup.empty() || all || !command.empty();
  }
  // As the preamble names them: "pid 17", "comm nginx", …
  std::vector<std::string> names() const;
};

// One of `of` connections is recorded. Machines with the same seed choose alike.
struct Sampling {
  std::uint32_t of = 1;
  std::uint32_t seed = 0;
  bool varies = false;  // while it records (Probes::set_share)
  bool some() const { return of > 1 || varies; }
};
// As the capture has it: "1/16 seed 42"; "": all are recorded.
std::string show(const Sampling& sampling);

// For people, with the names of the processes: "PID 17 (nginx)", "processes named nginx and port 80", …
std::string describe(const Selection& selection, std::uint32_t command_pid);

}  // namespace tailcap::capture
