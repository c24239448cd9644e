// Network policies and lists of pods as YAML. docs/audit.md describes the forms, docs/network-policy.schema.json and
// docs/pods.schema.json are schemas of those of tailcap.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/audit/network_policy.h"
#include "analyze/model/audit/pods.h"

namespace tailcap::query {

// All of an audit together.
inline constexpr std::size_t kMostNetworkPolicies = 1000, kMostNetworkRules = 10'000, kMostPods = 20'000;

// One document or several, each an allow-list, a NetworkPolicy of Kubernetes or a List of them. file: its name, which
// is that of an allow-list without one. What is not supported is an error, never left out. Throws YamlError (yaml.h).
std::vector<model::audit::NetworkPolicy> network_policies_of(std::string_view yaml, const std::string& file);

// Throws YamlError.
model::audit::Pods pods_of(std::string_view yaml);

}  // namespace tailcap::query
