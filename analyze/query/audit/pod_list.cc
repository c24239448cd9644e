#include "analyze/query/audit/network_policy_file.h"
#include "analyze/query/audit/parts.h"
#include "analyze/query/yaml.h"
#include "formats/printable.h"

namespace tailcap::query {
namespace {

using formats::printable;
using model::audit::Pod;
using model::audit::Pods;

bool absent(const Yaml& value) { return value.kind == Yaml::Kind::nothing; }

void add_pod(const Yaml& node, Pods& out) {
  static constexpr std::string_view keys[] = {"name", "namespace", "address", "labels"};
  Pod pod;
  const std::size_t number = out.pods.size();
  each(node, "a pod is a map with name, namespace, address and labels", keys,
       [&](const std::string& key, const Yaml&, const Yaml& value) {
         if (key == "name") pod.name = scalar(value, "the name of a pod is expected here");
         if (key == "namespace") pod.name_space = scalar(value, "the name of a namespace is expected here");
         if (key == "labels" && !absent(value)) pod.labels = network::labels_of(value);
         if (key != "address" || absent(value)) return;
         for (const Yaml* one : network::one_or_several(value, key, 100)) {
           const std::string& text = scalar(*one, "an address is expected here");
           const auto ip = model::audit::parse_ip(text);
           if (!ip) fail(*one, "'" + printable(text) + "' is not an address");
           if (!out.by_address.emplace(*ip, number).second)
             fail(*one, printable(text) + " is the address of another pod");
         }
       });
  if (pod.name.empty() || pod.name_space.empty()) fail(node, "a pod needs a name and a namespace");
  if (!out.by_name.emplace(std::pair(pod.name_space, pod.name), number).second)
    fail(node, "the pod " + printable(pod.name_space + "/" + pod.name) + " is given twice");
  out.pods.push_back(std::move(pod));
}

void add_namespace(const Yaml& node, Pods& out) {
  static constexpr std::string_view keys[] = {"name", "labels"};
  std::string name;
  model::audit::Labels labels;
  each(node, "a namespace is a map with name and labels", keys,
       [&](const std::string& key, const Yaml&, const Yaml& value) {
         if (key == "name") name = scalar(value, "the name of a namespace is expected here");
         if (key == "labels" && !absent(value)) labels = network::labels_of(value);
       });
  if (name.empty()) fail(node, "a namespace needs a name");
  labels[std::string(network::kNameLabel)] = name;
  if (!out.namespaces.emplace(name, std::move(labels)).second)
    fail(node, "the namespace " + printable(name) + " is given twice");
}

}  // namespace

Pods pods_of(std::string_view yaml) {
  static constexpr std::string_view keys[] = {"pods", "namespaces", "complete"};
  Pods out;
  const Yaml file = yaml_of(yaml, "a list pods");
  each(file, "a map with pods, namespaces and complete is expected here", keys,
       [&](const std::string& key, const Yaml&, const Yaml& value) {
         if (key == "complete") {
           const std::string& word = scalar(value, "true or false is expected here");
           if (word != "true" && word != "false")
             fail(value, "complete is true or false, not '" + printable(word) + "'");
           out.complete = word == "true";
         } else if (!absent(value)) {
           for (const Yaml& one : list(value, key, kMostPods))
             key == "pods" ? add_pod(one, out) : add_namespace(one, out);
         }
       });
  return out;
}

std::vector<model::audit::NetworkPolicy> network_policies_of(std::string_view yaml, const std::string& file) {
  static const std::string expected = "a network policy: an allow-list or a NetworkPolicy of Kubernetes";
  std::vector<model::audit::NetworkPolicy> out;
  for (const Yaml& document : yaml_documents_of(yaml, expected, kMostNetworkPolicies)) {
    const auto has = [&](std::string_view key) {
      for (const auto& [name, value] : document.entries)
        if (name.text == key) return true;
      return false;
    };
    if (document.kind != Yaml::Kind::map) fail(document, expected + " is expected here");
    if (has("kind"))
      network::kubernetes_policies_of(document, out);
    else
      out.push_back(network::allow_list_of(document, file));
    if (out.size() > kMostNetworkPolicies) fail(document, "more than 1,000 policies");
  }
  if (out.empty()) throw YamlError("1:1: " + expected + " is expected here");
  for (auto& policy : out) policy.file = file;
  return out;
}

}  // namespace tailcap::query
