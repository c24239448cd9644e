#include "capture/host/pods.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "capture/host/system_file.h"
#include "ground/container_path.h"

namespace tailcap::capture {
namespace {

using Json = nlohmann::json;

constexpr std::size_t kMostName = 253;  // Kubernetes' limit for names of objects

// Files about a container: before and after its id.
constexpr std::pair<const char*, const char*> kFiles[] = {
    {"/run/containerd/io.containerd.runtime.v2.task/k8s.io/", "/config.json"},
    {"/run/containers/storage/overlay-containers/", "/userdata/config.json"},  // CRI-O
    {"/var/lib/docker/containers/", "/config.v2.json"}};

// Annotations of containerd; labels of Kubernetes, which the others keep.
struct Keys {
  const char *name_space, *pod, *container;
};
constexpr Keys kKeys[] = {
    {"io.kubernetes.cri.sandbox-namespace", "io.kubernetes.cri.sandbox-name", "io.kubernetes.cri.container-name"},
    {"io.kubernetes.pod.namespace", "io.kubernetes.pod.name", "io.kubernetes.container.name"}};

const Json& at(const Json& object, const char* key) {
  static const Json kNone;
  if (!object.is_object()) return kNone;
  const auto found = object.find(key);
  return found == object.end() ? kNone : *found;
}

// Empty where it is no name of Kubernetes.
std::string name_at(const Json& object, const char* key) {
  const Json& value = at(object, key);
  if (!value.is_string()) return {};
  const auto& name = value.get_ref<const std::string&>();
  const bool fits =
      name.size() <= kMostName && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
      });
  return fits ? name : std::string();
}

std::string names_of(const Json& labels) {
  for (const Keys& keys : kKeys) {
    const std::string name_space = name_at(labels, keys.name_space), pod = name_at(labels, keys.pod);
    if (!name_space.empty() && !pod.empty()) return name_space + "/" + pod + "/" + name_at(labels, keys.container);
  }
  return {};
}

Json parse_json(const std::string& text) { return Json::parse(text, nullptr, false); }

std::string names_in(const std::string& text) {
  const Json all = parse_json(text);
  const Json& annotations = at(all, "annotations");
  if (std::string names = names_of(annotations); !names.empty()) return names;
  // CRI-O: the labels are an object that is written as a text.
  if (const Json& labels = at(annotations, "io.kubernetes.cri-o.Labels"); labels.is_string())
    if (std::string names = names_of(parse_json(labels.get_ref<const std::string&>())); !names.empty()) return names;
  return names_of(at(at(all, "Config"), "Labels"));
}

}  // namespace

std::vector<std::string> container_names(const std::string& root, const std::string& id) {
  std::vector<std::string> names;
  const auto add = [&](std::string_view name) {
    if (!name.empty()) names.emplace_back(name);
  };
  for (const auto& [before, after] : kFiles) {
    const std::string text = read_system_file(root + before + id + after, Pods::kFileBytes);
    if (text.empty()) continue;
    const Json all = parse_json(text);
    if (const Json& name = at(all, "Name"); name.is_string()) {  // docker: "/shop"
      std::string_view given = name.get_ref<const std::string&>();
      if (given.starts_with('/')) given.remove_prefix(1);
      add(given);
    }
    const std::string known = names_in(text);  // NAMESPACE/POD/CONTAINER
    const std::size_t pod = known.find('/'), container = known.rfind('/');
    if (pod == known.npos || container == pod) continue;
    add(std::string_view(known).substr(container + 1));
    add(std::string_view(known).substr(pod + 1, container - pod - 1));
    add(std::string_view(known).substr(pod + 1));
  }
  // podman
  const Json podman = parse_json(
      read_system_file(root + "/var/lib/containers/storage/overlay-containers/containers.json", Pods::kFileBytes));
  if (podman.is_array())
    for (const Json& one : podman)
      if (const Json& own = at(one, "id"); own.is_string() && own.get_ref<const std::string&>() == id)
        if (const Json& given = at(one, "names"); given.is_array())
          for (const Json& name : given)
            if (name.is_string()) add(name.get_ref<const std::string&>());
  return names;
}

std::string Pods::met(std::string_view cgroup) {
  const std::string id = ground::container_of(cgroup).id;
  if (id.empty() || met_.size() >= kMost || !met_.insert(id).second) return {};
  for (const auto& [before, after] : kFiles) {
    const std::string text = read_system_file(root_ + before + id + after, kFileBytes);
    if (text.empty()) continue;
    if (const std::string names = names_in(text); !names.empty()) return id + " " + names;
  }
  return {};
}

}  // namespace tailcap::capture
