#include "capture/record/named_processes.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>
#include <system_error>

#include "bpf/event.h"
#include "capture/host/system_file.h"
#include "capture/log/status.h"
#include "capture/scan/proc.h"

namespace tailcap::capture {
void find_processes(std::vector<std::uint32_t>& pids) {
  std::vector<std::uint32_t> found;
  for (const auto pid : pids) {
    const std::uint32_t process = process_of_thread(pid);
    if (process != 0)
      found.push_back(process);
    else if (pids.size() > 1)
      warn("there is no process " + std::to_string(pid) + ": the others are recorded");
  }
  if (found.empty() && !pids.empty())
    throw std::runtime_error("there is no process " + std::to_string(pids.front()) + ". `pgrep -a NAME` finds it.");
  pids = std::move(found);
}

std::map<std::uint32_t, std::string> names_of(const Options& options, std::uint32_t command_pid) {
  std::map<std::uint32_t, std::string> names;
  for (const auto& [given, name] : options.names) {
    const auto& pids = options.probes.selection.pids;
    const std::uint32_t pid = given != 0         ? process_of_thread(given)
                              : command_pid != 0 ? command_pid
                              : pids.empty()     ? 0
                                                 : pids.front();
    if (pid == 0) throw std::runtime_error("there is no process " + std::to_string(given) + " for --name");
    names[pid] = name;
  }
  return names;
}

std::vector<std::uint32_t> chosen_by_name(const Selection& selection) {
  std::vector<std::uint32_t> chosen;
  if (!selection.cgroup.empty()) {
    SystemLines members(selection.cgroup + "/cgroup.procs");
    for (std::string_view line; members.next(line);)
      chosen.push_back(static_cast<std::uint32_t>(std::atoi(std::string(line).c_str())));
  }
  if (selection.comms.empty() && !selection.all) return chosen;
  std::error_code error;
  for (std::filesystem::directory_iterator entry("/proc", error), end; !error && entry != end; entry.increment(error)) {
    const int pid = std::atoi(entry->path().filename().c_str());
    if (pid <= 0) continue;
    std::string comm = read_system_file(entry->path().string() + "/comm", 64);
    if (comm.ends_with('\n')) comm.pop_back();
    const bool named = std::any_of(selection.comms.begin(), selection.comms.end(),
                                   [&](const std::string& name) { return name.substr(0, COMM_SIZE - 1) == comm; });
    if (named || selection.all) chosen.push_back(static_cast<std::uint32_t>(pid));
  }
  return chosen;
}

}  // namespace tailcap::capture
