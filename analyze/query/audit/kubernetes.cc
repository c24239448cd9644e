// NetworkPolicy of networking.k8s.io/v1.
#include <algorithm>
#include <optional>

#include "analyze/query/audit/network_policy_file.h"
#include "analyze/query/audit/parts.h"
#include "analyze/query/literal.h"
#include "formats/printable.h"

namespace tailcap::query::network {
namespace {

using formats::printable;
using model::audit::NetworkPolicy;
using model::audit::NetworkRule;
using model::audit::Peer;
using model::audit::PortRange;
using model::audit::Requirement;
using model::audit::RuleSide;
using model::audit::Selector;

bool absent(const Yaml& value) { return value.kind == Yaml::Kind::nothing; }

Requirement expression_of(const Yaml& node) {
  static constexpr std::string_view keys[] = {"key", "operator", "values"};
  using Operator = Requirement::Operator;
  Requirement out;
  bool has_operator = false;
  each(node, "an entry of matchExpressions is a map with key and operator", keys,
       [&](const std::string& key, const Yaml&, const Yaml& value) {
         if (key == "key") out.key = scalar(value, "the name of a label is expected here");
         if (key == "values" && !absent(value))
           for (const Yaml& one : list(value, key, kMostValues)) {
             if (one.kind != Yaml::Kind::scalar) fail(one, "the value of a label is a text");
             out.values.push_back(one.text);
           }
         if (key != "operator") return;
         const std::string& word = scalar(value, "an operator is expected here");
         has_operator = true;
         if (word == "In")
           out.op = Operator::in;
         else if (word == "NotIn")
           out.op = Operator::not_in;
         else if (word == "Exists")
           out.op = Operator::exists;
         else if (word == "DoesNotExist")
           out.op = Operator::absent;
         else
           fail(value, "the operator is In, NotIn, Exists or DoesNotExist, not '" + printable(word) + "'");
       });
  if (out.key.empty() || !has_operator) fail(node, "an entry of matchExpressions needs key and operator");
  const bool valued = out.op == Operator::in || out.op == Operator::not_in;
  if (valued == out.values.empty())
    fail(node, valued ? "In and NotIn need values" : "Exists and DoesNotExist take no values");
  return out;
}

Selector label_selector_of(const Yaml& node) {
  static constexpr std::string_view keys[] = {"matchLabels", "matchExpressions"};
  Selector out;
  if (absent(node)) return out;
  each(node, "a selector is a map with matchLabels or matchExpressions; {} selects everything", keys,
       [&](const std::string& key, const Yaml&, const Yaml& value) {
         if (absent(value)) return;
         Selector some;
         if (key == "matchLabels")
           some = selector_of(labels_of(value));
         else
           for (const Yaml& one : list(value, key, kMostLabels)) some.all.push_back(expression_of(one));
         out.all.insert(out.all.end(), some.all.begin(), some.all.end());
       });
  return out;
}

void ip_block_of(const Yaml& node, Peer& out) {
  static constexpr std::string_view keys[] = {"cidr", "except"};
  each(node, "ipBlock is a map with cidr and except", keys,
       [&](const std::string& key, const Yaml&, const Yaml& value) {
         if (key == "cidr") out.blocks = {block_of(value)};
         if (key == "except" && !absent(value))
           for (const Yaml& one : list(value, key, kMostBlocks)) out.except.push_back(block_of(one));
       });
  if (out.blocks.empty()) fail(node, "ipBlock needs cidr");
  for (const auto& one : out.except)
    if (!out.blocks.front().contains(one)) fail(node, "except is not within cidr");
}

Peer peer_of(const Yaml& node, const std::string& name_space) {
  static constexpr std::string_view keys[] = {"podSelector", "namespaceSelector", "ipBlock"};
  Peer out;
  each(node, "a peer is a map with podSelector, namespaceSelector or ipBlock", keys,
       [&](const std::string& key, const Yaml&, const Yaml& value) {
         if (key == "podSelector") out.pods = label_selector_of(value);
         if (key == "namespaceSelector") out.namespaces = label_selector_of(value);
         if (key == "ipBlock") ip_block_of(value, out);
       });
  if (!out.blocks.empty() && (out.pods || out.namespaces))
    fail(node, "ipBlock stands alone: give it a peer of its own");
  if (out.blocks.empty() && !out.pods && !out.namespaces) fail(node, "a peer says nothing");
  if (out.pods && !out.namespaces) out.name_space = name_space;
  return out;
}

void port_entry_of(const Yaml& node, NetworkRule& out) {
  static constexpr std::string_view keys[] = {"protocol", "port", "endPort"};
  std::string protocol = "TCP";
  std::optional<std::uint16_t> first, last;
  each(node, "an entry of ports is a map with protocol, port and endPort", keys,
       [&](const std::string& key, const Yaml&, const Yaml& value) {
         if (absent(value)) return;
         if (key == "protocol") protocol = scalar(value, "a protocol is expected here");
         if (key == "port") first = port_of(value);
         if (key == "endPort") last = port_of(value);
       });
  if (protocol != "TCP" && protocol != "UDP" && protocol != "SCTP")
    fail(node, "the protocol is TCP, UDP or SCTP, not '" + printable(protocol) + "'");
  if (last && (!first || *last < *first)) fail(node, "endPort needs a port that is not above it");
  out.every_port = false;
  if (protocol == "TCP") out.ports.push_back(first ? PortRange{*first, last.value_or(*first)} : PortRange{});
}

NetworkRule peer_rule(const Yaml& node, RuleSide side, std::size_t number, const std::string& name_space) {
  const bool in = side == RuleSide::ingress;
  const std::string peers = in ? "from" : "to";
  const std::string_view keys[] = {peers, "ports"};
  NetworkRule out;
  out.side = side;
  out.name = (in ? "ingress " : "egress ") + std::to_string(number);
  if (absent(node)) return out;
  each(node, "a rule is a map with " + peers + " and ports; {} allows everything", keys,
       [&](const std::string& key, const Yaml&, const Yaml& value) {
         if (absent(value)) return;
         if (key == "ports")
           for (const Yaml& one : list(value, key, kMostPorts)) port_entry_of(one, out);
         else
           for (const Yaml& one : list(value, key, kMostPeers))
             (in ? out.from : out.to).push_back(peer_of(one, name_space));
       });
  return out;
}

void policy_types_of(const Yaml& value, NetworkPolicy& out) {
  for (const Yaml& one : list(value, "policyTypes", 2)) {
    const std::string& word = scalar(one, "Ingress or Egress is expected here");
    if (word != "Ingress" && word != "Egress")
      fail(one, "policyTypes has Ingress and Egress, not '" + printable(word) + "'");
    (word == "Ingress" ? out.ingress : out.egress) = true;
  }
}

void spec_of(const Yaml& node, NetworkPolicy& out) {
  static constexpr std::string_view keys[] = {"podSelector", "policyTypes", "ingress", "egress"};
  bool typed = false, selects = false;
  each(node, "spec is a map with podSelector, policyTypes, ingress and egress", keys,
       [&](const std::string& key, const Yaml&, const Yaml& value) {
         if (key == "podSelector") {
           selects = true;
           out.selected.pods = label_selector_of(value);
         }
         if (absent(value)) return;
         if (key == "policyTypes") {
           typed = !list(value, key, 2).empty();
           policy_types_of(value, out);
         }
         if (key != "ingress" && key != "egress") return;
         const RuleSide side = key == "ingress" ? RuleSide::ingress : RuleSide::egress;
         std::size_t number = 0;
         for (const Yaml& rule : list(value, key, kMostNetworkRules))
           out.rules.push_back(peer_rule(rule, side, ++number, out.selected.name_space));
       });
  if (!selects) fail(node, "podSelector is missing; {} selects all pods of the namespace");
  const auto any = [&](RuleSide side) {
    return std::any_of(out.rules.begin(), out.rules.end(), [&](const NetworkRule& rule) { return rule.side == side; });
  };
  if (!typed) {
    out.ingress = true;
    out.egress = any(RuleSide::egress);
  }
  // Rules of a direction that the policy does not judge have no effect in a cluster either; here they would be hits.
  if ((!out.ingress && any(RuleSide::ingress)) || (!out.egress && any(RuleSide::egress)))
    fail(node, "policyTypes leaves out a direction that has rules");
}

std::string metadata_of(const Yaml& node, NetworkPolicy& out) {
  if (node.kind != Yaml::Kind::map) fail(node, "metadata is a map with name and namespace");
  std::string name;
  for (const auto& [key, value] : node.entries) {  // the others select nothing
    if (key.text == "name") name = scalar(value, "the name of the policy is expected here");
    if (key.text == "namespace") out.selected.name_space = scalar(value, "the name of a namespace is expected here");
  }
  if (name.empty()) fail(node, "metadata needs a name");
  if (out.selected.name_space.empty())
    fail(node, "metadata needs a namespace: which one is meant is not in the file otherwise");
  return name;
}

NetworkPolicy policy_of(const Yaml& document) {
  static constexpr std::string_view keys[] = {"apiVersion", "kind", "metadata", "spec", "status"};
  NetworkPolicy out;
  out.kind = NetworkPolicy::Kind::kubernetes;
  const Yaml* metadata = entry_of(document, "metadata");  // whose namespace is also that of the peers
  if (!metadata) fail(document, "metadata is missing");
  const std::string name = metadata_of(*metadata, out);
  bool specified = false;
  each(document, "a NetworkPolicy is expected here", keys, [&](const std::string& key, const Yaml&, const Yaml& value) {
    if (key == "apiVersion" && scalar(value, "an API version is expected here") != "networking.k8s.io/v1")
      fail(value, "apiVersion is networking.k8s.io/v1, not '" + printable(value.text) + "'");
    if (key != "spec") return;
    specified = true;
    spec_of(value, out);
  });
  if (!entry_of(document, "apiVersion")) fail(document, "apiVersion is missing");
  if (!specified) fail(document, "spec is missing");
  out.name = out.selected.name_space + "/" + name;
  return out;
}

}  // namespace

void kubernetes_policies_of(const Yaml& document, std::vector<NetworkPolicy>& out) {
  const Yaml& kind = *entry_of(document, "kind");
  const std::string& word = scalar(kind, "a kind is expected here");
  if (word == "NetworkPolicy") {
    if (out.size() >= kMostNetworkPolicies) fail(document, "more than 1,000 policies");
    out.push_back(policy_of(document));
    return;
  }
  if (word != "List" && word != "NetworkPolicyList")
    fail(kind, "a " + printable(word) + " is not supported: only NetworkPolicy, and a List of them");
  static constexpr std::string_view keys[] = {"apiVersion", "kind", "metadata", "items"};
  each(document, "a List is expected here", keys, [&](const std::string& key, const Yaml&, const Yaml& value) {
    if (key != "items") return;
    for (const Yaml& item : list(value, key, kMostNetworkPolicies)) {
      const Yaml* of = item.kind == Yaml::Kind::map ? entry_of(item, "kind") : nullptr;
      if (!of || of->text != "NetworkPolicy")
        fail(item, "a List of something else than NetworkPolicy is not supported");
      kubernetes_policies_of(item, out);
    }
  });
}

}  // namespace tailcap::query::network
