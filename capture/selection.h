// Whom to record: the union of everything that was chosen on the command line.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace tailcap::capture {

struct Selection {
  std::vector<std::uint32_t> pids;
  std::vector<std::string> comms;
  std::vector<std::uint16_t> ports;  // at most 8
  std::string cgroup;                // a directory of the unified hierarchy; empty: none
  bool all = false;
  std::vector<std::string> command;  // to be started and recorded; empty: none

  bool empty() const {
    return pids.empty() && comms.empty() && ports.empty() && cgroup.empty() && !all && command.empty();
  }
  // Nobody can join later except as a child of those that are there: recording ends when they are gone.
  bool closed() const { return comms.empty() && ports.empty() && cgroup.empty() && !all; }
  // Whole processes are chosen, not only what they do on some port.
  bool processes() const { return !pids.empty() || !comms.empty() || !cgroup.empty() || all || !command.empty(); }
  // As the preamble names them: "pid 17", "comm nginx", …
  std::vector<std::string> names() const;
};

// For people, with the names of the processes: "PID 17 (nginx)", "processes named nginx and port 80", …
std::string describe(const Selection& selection, std::uint32_t command_pid);

}  // namespace tailcap::capture
