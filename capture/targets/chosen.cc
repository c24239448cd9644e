#include "capture/targets/chosen.h"

#include <algorithm>

namespace tailcap::capture::targets {
namespace {

constexpr int kMostAncestors = 64;  // a loop of parents, as pids that are used again could make, ends

struct NameKind {
  const char* what;
  std::vector<std::string> Selection::*names;
  bool (*means)(std::string_view, const Running&);
};
constexpr NameKind kNameKinds[] = {{"service ", &Selection::services, means_service},
                                   {"container ", &Selection::containers, means_container},
                                   {"unit ", &Selection::units, means_unit}};

}  // namespace

std::vector<std::string> names_in(const Selection& selection) {
  std::vector<std::string> out;
  for (const NameKind& kind : kNameKinds)
    for (const std::string& name : selection.*kind.names) out.push_back(kind.what + name);
  return out;
}

ChosenProcesses chosen_by_names(const Selection& selection, std::span<const Running> all) {
  ChosenProcesses out;
  for (const NameKind& kind : kNameKinds)
    for (const std::string& name : selection.*kind.names) {
      Pids& pids = out[kind.what + name];
      for (const Running& one : all)
        if (kind.means(name, one)) pids.insert(one.pid);
    }
  return out;
}

Pids processes_of(const Selection& selection, std::span<const Running> all, const ChosenProcesses& chosen) {
  Pids out(selection.pids.begin(), selection.pids.end());
  for (const auto& [name, pids] : chosen_by_names(selection, all)) {
    out.insert(pids.begin(), pids.end());
    if (const auto before = chosen.find(name); before != chosen.end())
      out.insert(before->second.begin(), before->second.end());
  }
  return out;
}

bool is_below(std::uint32_t pid, const Pids& above, std::span<const Running> all) {
  for (int level = 0; level < kMostAncestors; ++level) {
    const auto one = std::ranges::find(all, pid, &Running::pid);
    if (one == all.end() || one->parent == 0) return false;
    pid = one->parent;
    if (above.contains(pid)) return true;
  }
  return false;
}

}  // namespace tailcap::capture::targets
