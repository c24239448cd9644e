#include "ground/container_path.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tailcap::ground {
namespace {

constexpr std::size_t kContainerId = 64, kPodUid = 36, kStaticPodUid = 32;

// Prefixes of group names, followed by a container's id. Groups of a monitor ("crio-conmon-", "libpod-conmon-") hold no
// processes of the container, so their prefixes are not listed.
constexpr auto kPrefixes = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"", ""},
    {"docker-", "docker"},
    {"cri-containerd-", "containerd"},
    {"nerdctl-", "containerd"},
    {"crio-", "cri-o"},
    {"libpod-", "podman"},
});

bool is_hex(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

// "pod0d3f3ab5-4d6c-…", "kubepods-burstable-pod0d3f3ab5_4d6c_…": systemd takes no dash in a name. Static pods have a
// hash without dashes.
std::string pod_uid_of(std::string_view part) {
  const auto pod = part.rfind("pod");
  if (pod == part.npos || (pod != 0 && part[pod - 1] != '-')) return {};
  std::string uid(part.substr(pod + 3));
  if (uid.size() == kStaticPodUid && is_hex(uid)) return uid;
  if (uid.size() != kPodUid) return {};
  for (const std::size_t dash : {8, 13, 18, 23}) {
    if (uid[dash] != '-' && uid[dash] != '_') return {};
    uid[dash] = '-';
  }
  std::string digits = uid;
  std::erase(digits, '-');
  return digits.size() == 32 && is_hex(digits) ? uid : std::string();
}

}  // namespace

ContainerPath container_of(std::string_view cgroup) {
  ContainerPath out;
  std::string_view above;  // the part before
  for (std::size_t at = 0; at < cgroup.size();) {
    // containerd with cgroupfs below systemd: "kubepods-pod<uid>.slice:cri-containerd:<64 hex>".
    std::string_view part = cgroup.substr(at, cgroup.find_first_of("/:", at) - at);
    at += part.size() + 1;
    const std::string_view before = std::exchange(above, part);
    for (const std::string_view end : {".scope", ".slice"})
      if (part.ends_with(end)) part.remove_suffix(end.size());
    if (std::string uid = pod_uid_of(part); !uid.empty()) {
      // A cluster in a container: the pod is in there, and its container is yet to come.
      out = {};
      out.pod_uid = std::move(uid);
      continue;
    }
    if (part.size() < kContainerId || !is_hex(part.substr(part.size() - kContainerId))) continue;
    const std::string_view name = part.substr(0, part.size() - kContainerId);
    const auto prefix =
        std::find_if(kPrefixes.begin(), kPrefixes.end(), [&](const auto& p) { return p.first == name; });
    if (prefix == kPrefixes.end()) continue;
    out.id = part.substr(name.size());
    out.runtime = !name.empty()                ? prefix->second
                  : before == "docker"         ? "docker"
                  : before == "cri-containerd" ? "containerd"
                                               : "";
  }
  return out;
}

}  // namespace tailcap::ground
