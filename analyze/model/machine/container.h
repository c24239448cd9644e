// The container and the pod that a control group's path names, and the names that the recorder found for them.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "formats/event.h"

namespace tailcap::model {

// Of the innermost container: "…/docker-<64 hex>.scope", "…/kubepods/burstable/pod<uid>/<64 hex>", … Empty: it names
// none. The names of pods, namespaces and containers are in no path.
struct Container {
  std::string id;       // 64 hexadecimal digits
  std::string runtime;  // docker, containerd, cri-o, podman; empty: the path does not say
  std::string pod_uid;  // as Kubernetes writes it: with dashes, or 32 digits of a static pod
  // As the container's runtime knew them when it was recorded; container_of() does not.
  std::string name_space, pod, name;
};
Container container_of(std::string_view cgroup);

// With the names of pods, from the recorder's notes.
class Containers {
 public:
  void push(const formats::Event& event);
  Container of(std::string_view cgroup) const;

 private:
  static constexpr std::size_t kMost = 4096;
  std::unordered_map<std::string, Container> named_;  // by id
};

}  // namespace tailcap::model
