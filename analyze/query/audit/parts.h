// What allow-lists, policies of Kubernetes and lists of pods have in common.
#pragma once

#include <string>
#include <vector>

#include "analyze/model/audit/network_policy.h"
#include "analyze/model/audit/pods.h"
#include "analyze/query/yaml.h"

namespace tailcap::query::network {

inline constexpr std::size_t kMostPeers = 1000, kMostPorts = 1000, kMostBlocks = 1000, kMostValues = 1000,
                             kMostLabels = 100;
inline constexpr std::string_view kNameLabel = "kubernetes.io/metadata.name";  // of a namespace: its name

// A word, or a list of words.
std::vector<const Yaml*> one_or_several(const Yaml& value, const std::string& what, std::size_t most);
model::audit::AddressBlock block_of(const Yaml& value);
std::uint16_t port_of(const Yaml& value);
model::audit::Labels labels_of(const Yaml& value);
// Selects what has these labels.
model::audit::Selector selector_of(const model::audit::Labels& labels);

model::audit::NetworkPolicy allow_list_of(const Yaml& document, const std::string& file);
// NetworkPolicy, or a List; appended to out.
void kubernetes_policies_of(const Yaml& document, std::vector<model::audit::NetworkPolicy>& out);

}  // namespace tailcap::query::network
