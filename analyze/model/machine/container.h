// The container and the pod that a control group's path names, and the names that the recorder found for them.
#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "formats/event_names.h"
#include "ground/container_path.h"

namespace tailcap::model {

// name_space, pod, name: as the container's runtime knew them when it was recorded; empty where the recorder found
// none.
struct Container : ground::ContainerPath {
  std::string name_space, pod, name;
};

// A control group is this one, or below it: /a/b is in /a and in /. Empty: none, which is in none.
bool in_cgroup(std::string_view group, std::string_view above);

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
