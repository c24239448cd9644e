#include "analyze/model/machine/container.h"

#include <algorithm>
#include <array>
#include <utility>
#include <variant>

namespace tailcap::model {
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

Container container_of(std::string_view cgroup) {
  Container out;
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

// "ID NAMESPACE/POD/CONTAINER"
void Containers::push(const formats::Event& event) {
  const auto* note = std::get_if<formats::Note>(&event.body);
  if (!note || note->key != "tailcap.pod" || named_.size() >= kMost) return;
  const std::string_view value = note->value;
  const auto space = value.find(' '), slash = value.find('/', space), second = value.find('/', slash + 1);
  if (space == value.npos || slash == value.npos || second == value.npos) return;
  Container& named = named_[std::string(value.substr(0, space))];
  named.name_space = value.substr(space + 1, slash - space - 1);
  named.pod = value.substr(slash + 1, second - slash - 1);
  named.name = value.substr(second + 1);
}

Container Containers::of(std::string_view cgroup) const {
  Container out = container_of(cgroup);
  if (const auto named = named_.find(out.id); named != named_.end()) {
    out.name_space = named->second.name_space;
    out.pod = named->second.pod;
    out.name = named->second.name;
  }
  return out;
}

}  // namespace tailcap::model
