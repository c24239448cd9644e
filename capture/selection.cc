#include "capture/selection.h"

namespace tailcap::capture {

std::vector<std::string> Selection::names() const {
  std::vector<std::string> names;
  for (auto pid : pids) names.push_back("pid " + std::to_string(pid));
  for (const auto& comm : comms) names.push_back("comm " + comm);
  for (auto port : ports) names.push_back("port " + std::to_string(port));
  if (!cgroup.empty()) names.push_back("cgroup " + cgroup);
  if (all) names.push_back("all");
  if (!command.empty()) names.push_back("command " + command.front());
  return names;
}

}  // namespace tailcap::capture
