#include "capture/probes/selection.h"

#include "capture/scan/proc.h"
#include "formats/printable.h"
#include "ground/text.h"

namespace tailcap::capture {

std::vector<std::string> Selection::names() const {
  std::vector<std::string> names;
  for (auto pid : pids) names.push_back("pid " + std::to_string(pid));
  for (const auto& comm : comms) names.push_back("comm " + comm);
  for (const auto& service : services) names.push_back("service " + service);
  for (const auto& container : containers) names.push_back("container " + container);
  for (const auto& unit : units) names.push_back("unit " + unit);
  for (auto port : ports) names.push_back("port " + std::to_string(port));
  if (!cgroup.empty()) names.push_back("cgroup " + cgroup);
  if (all) names.push_back("all");
  if (!command.empty()) names.push_back("command " + command.front());
  return names;
}

std::string show(const Sampling& sampling) {
  if (sampling.of == 0) return "none";
  return sampling.of == 1 ? "" : "1/" + std::to_string(sampling.of) + " seed " + std::to_string(sampling.seed);
}

std::string describe(const Selection& selection, std::uint32_t command_pid) {
  if (selection.all) return "every process";
  std::vector<std::string> parts;
  const auto process = [](std::uint32_t pid) {
    return "PID " + std::to_string(pid) + " (" + formats::printable(process_facts(pid).comm) + ")";
  };
  if (command_pid) parts.push_back(process(command_pid));
  for (const auto pid : selection.pids) parts.push_back(process(pid));
  for (const auto& comm : selection.comms) parts.push_back("processes named " + formats::printable(comm));
  for (const auto port : selection.ports) parts.push_back("port " + std::to_string(port));
  if (!selection.cgroup.empty()) parts.push_back("cgroup " + formats::printable(selection.cgroup));
  return ground::listed(parts);
}

}  // namespace tailcap::capture
