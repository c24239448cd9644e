// Network policies as people write them: tailcap's allow-lists, and NetworkPolicy of Kubernetes. docs/audit.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "analyze/model/audit/address.h"

namespace tailcap::model::audit {

// What a selector requires of a label.
struct Requirement {
  enum class Operator : std::uint8_t { in, not_in, exists, absent };
  std::string key;
  Operator op = Operator::in;
  std::vector<std::string> values = {};
};

// All must hold; without any, it selects everything.
struct Selector {
  std::vector<Requirement> all;
};

// One end of a connection. All that is set must hold.
struct Peer {
  std::vector<AddressBlock> blocks, except;  // in one of blocks and in none of except
  std::vector<std::string> processes;        // one of these names
  std::optional<Selector> namespaces, pods;  // a pod in such a namespace, with such labels
  std::string name_space;                    // where pods are selected and namespaces are not: the pods of this one
};

struct PortRange {
  std::uint16_t first = 0, last = 65535;
  bool contains(std::uint16_t port) const { return first <= port && port <= last; }
};

enum class RuleSide : std::uint8_t { both, ingress, egress };  // both: of an allow-list

struct NetworkRule {
  std::string name;  // "web-to-shop", "ingress 1"
  RuleSide side = RuleSide::both;
  std::vector<Peer> from, to;  // any of them; empty: every end
  bool every_port = true;      // otherwise one of ports
  std::vector<PortRange> ports;
};

struct NetworkPolicy {
  enum class Kind : std::uint8_t { allow_list, kubernetes };
  Kind kind = Kind::allow_list;
  std::string name;  // "production"; of Kubernetes "namespace/name"
  std::string file;
  bool denies_others = true;             // of an allow-list: connections that no rule matches
  Peer selected;                         // of Kubernetes: the pods that it judges,
  bool ingress = false, egress = false;  // and in which direction
  std::vector<NetworkRule> rules;
};

}  // namespace tailcap::model::audit
