// The container and the pod that a control group's path names.
#pragma once

#include <string>
#include <string_view>

namespace tailcap::ground {

// The innermost container: "…/docker-<64 hex>.scope", "…/kubepods/burstable/pod<uid>/<64 hex>", … Empty: it names
// none. The names of pods, namespaces and containers are in no path.
struct ContainerPath {
  std::string id;       // 64 hexadecimal digits
  std::string runtime;  // docker, containerd, cri-o, podman; empty: the path does not say
  std::string pod_uid;  // as Kubernetes writes it: with dashes, or 32 digits of a static pod
};
ContainerPath container_of(std::string_view cgroup);

}  // namespace tailcap::ground
