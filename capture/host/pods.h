// The names that Kubernetes gave to containers, as the runtimes of containers keep them on this machine.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace tailcap::capture {

// By what people call a container: the name that docker or podman knows, and Kubernetes' of the container, of the pod,
// and of both: "pod/container". root: in front of the paths of the runtimes' files.
std::vector<std::string> container_names(const std::string& root, const std::string& id);

class Pods {
 public:
  static constexpr std::size_t kMost = 4096;           // containers that are looked up
  static constexpr std::size_t kFileBytes = 1u << 20;  // of a runtime's file about one of them

  // root: in front of the paths of the runtimes' files.
  explicit Pods(std::string root = {}) : root_(std::move(root)) {}

  // The first time that a process of a container is met: "ID NAMESPACE/POD/CONTAINER"; CONTAINER may be empty. Empty at
  // later times, where the control group names no container, and where no runtime's file says that it is one of
  // Kubernetes'. Never throws because of what a file holds.
  std::string met(std::string_view cgroup);

 private:
  std::string root_;
  std::unordered_set<std::string> met_;
};

}  // namespace tailcap::capture
