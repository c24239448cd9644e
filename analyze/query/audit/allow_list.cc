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

// "5432", "9000-9010".
PortRange ports_of(const Yaml& value) {
  const std::string& text = scalar(value, "a port or a range like 9000-9010 is expected here");
  const auto dash = text.find('-');
  if (dash == std::string::npos) {
    const std::uint16_t port = port_of(value);
    return {port, port};
  }
  const auto first = parse_number(text.substr(0, dash)), last = parse_number(text.substr(dash + 1));
  if (!first || !last || *first < 1 || *last > 65535 || *first > *last)
    fail(value, "'" + printable(text) + "' is not a range of ports like 9000-9010");
  return {static_cast<std::uint16_t>(*first), static_cast<std::uint16_t>(*last)};
}

Peer end_of(const Yaml& node, bool accepts, NetworkRule& rule) {
  static constexpr std::string_view keys[] = {"process", "address", "except", "namespace", "labels", "port"};
  Peer out;
  each(node, "an end is a map with process, address, namespace, labels or port", keys,
       [&](const std::string& key, const Yaml& at, const Yaml& value) {
         if (key == "process")
           for (const Yaml* name : one_or_several(value, key, kMostValues))
             out.processes.push_back(scalar(*name, "the name of a process is expected here"));
         if (key == "address")
           for (const Yaml* block : one_or_several(value, key, kMostBlocks)) out.blocks.push_back(block_of(*block));
         if (key == "except")
           for (const Yaml* block : one_or_several(value, key, kMostBlocks)) out.except.push_back(block_of(*block));
         if (key == "namespace") {
           Requirement names{std::string(kNameLabel), Requirement::Operator::in, {}};
           for (const Yaml* name : one_or_several(value, key, kMostValues))
             names.values.push_back(scalar(*name, "the name of a namespace is expected here"));
           out.namespaces = {{std::move(names)}};
         }
         if (key == "labels") out.pods = selector_of(labels_of(value));
         if (key != "port") return;
         if (!accepts) fail(at, "port is that of the end that accepts: it belongs to `to`");
         rule.every_port = false;
         for (const Yaml* ports : one_or_several(value, key, kMostPorts)) rule.ports.push_back(ports_of(*ports));
       });
  if (node.entries.empty()) fail(node, "an end says nothing: leave it out where every end is meant");
  if (!out.except.empty() && out.blocks.empty()) fail(node, "except needs an address that it is an exception of");
  if (out.pods && !out.namespaces) out.namespaces.emplace();  // of all namespaces
  return out;
}

NetworkRule rule_of(const Yaml& node, std::size_t number) {
  static constexpr std::string_view keys[] = {"name", "from", "to"};
  NetworkRule out;
  each(node, "a rule is a map with name, from and to", keys,
       [&](const std::string& key, const Yaml&, const Yaml& value) {
         if (key == "name") out.name = scalar(value, "a name is expected here");
         if (key == "from") out.from.push_back(end_of(value, false, out));
         if (key == "to") out.to.push_back(end_of(value, true, out));
       });
  if (out.from.empty() && out.to.empty()) fail(node, "a rule needs from, to or both");
  if (out.name.empty()) out.name = "rule " + std::to_string(number);
  return out;
}

}  // namespace

NetworkPolicy allow_list_of(const Yaml& document, const std::string& file) {
  static constexpr std::string_view keys[] = {"allow_list", "default", "rules"};
  NetworkPolicy out;
  out.name = file;
  out.file = file;
  bool any = false;
  each(document, "an allow-list is a map with allow_list, default and rules", keys,
       [&](const std::string& key, const Yaml&, const Yaml& value) {
         if (key == "allow_list") out.name = scalar(value, "the name of the allow-list is expected here");
         if (key == "default") {
           const std::string& word = scalar(value, "allow or deny is expected here");
           if (word != "allow" && word != "deny")
             fail(value, "default is allow or deny, not '" + printable(word) + "'");
           out.denies_others = word == "deny";
         }
         if (key != "rules") return;
         any = true;
         for (const Yaml& rule : list(value, key, kMostNetworkRules))
           out.rules.push_back(rule_of(rule, out.rules.size() + 1));
       });
  if (!any) fail(document, "rules is missing; an empty list allows nothing");
  return out;
}

}  // namespace tailcap::query::network
