#include "analyze/audit/matching.h"

#include <algorithm>

namespace tailcap::audit {

using model::audit::bit;
using model::audit::Labels;
using model::audit::Missing;
using model::audit::MissingSet;
using model::audit::NetworkRule;
using model::audit::Peer;
using model::audit::Requirement;
using model::audit::Selector;

namespace {

constexpr const char* kNameLabel = "kubernetes.io/metadata.name";  // Kubernetes gives it to every namespace

bool among(const std::string& value, const std::vector<std::string>& values) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// all: there are no other labels.
Tri holds(const Requirement& requirement, const Labels& labels, bool all) {
  using Operator = Requirement::Operator;
  const auto found = labels.find(requirement.key);
  if (found == labels.end() && !all) return Tri::unknown;
  const bool there = found != labels.end();
  switch (requirement.op) {
    case Operator::exists:
      return tri(there);
    case Operator::absent:
      return tri(!there);
    case Operator::in:
      return tri(there && among(found->second, requirement.values));
    case Operator::not_in:
      break;
  }
  return tri(!there || !among(found->second, requirement.values));
}

Tri selects(const Selector& selector, const Labels& labels, bool all) {
  Tri out = Tri::yes;
  for (const Requirement& requirement : selector.all) out = both(out, holds(requirement, labels, all));
  return out;
}

Tri noted(Tri answer, Missing what, MissingSet& missing) {
  if (answer == Tri::unknown) missing |= bit(what);
  return answer;
}

}  // namespace

Tri Matching::in_pod(const Peer& peer, const Who& who, MissingSet& missing) const {
  if (!peer.pods && !peer.namespaces && peer.name_space.empty()) return Tri::yes;
  if (who.in_pod != Tri::yes) return noted(who.in_pod, Missing::pod, missing);
  if (who.name_space.empty()) return noted(Tri::unknown, Missing::pod, missing);
  Tri out = Tri::yes;
  if (peer.namespaces) {
    const auto listed = pods_.namespaces.find(who.name_space);
    const bool all = listed != pods_.namespaces.end();
    out = noted(selects(*peer.namespaces, all ? listed->second : Labels{{kNameLabel, who.name_space}}, all),
                Missing::labels, missing);
  } else {
    out = tri(who.name_space == peer.name_space);
  }
  if (out == Tri::no || !peer.pods) return out;
  const Tri labels =
      who.listed ? selects(*peer.pods, pods_.pods[*who.listed].labels, true) : selects(*peer.pods, {}, false);
  return both(out, noted(labels, Missing::labels, missing));
}

Tri Matching::matches(const Peer& peer, const Who& who, MissingSet& missing) const {
  Tri out = Tri::yes;
  if (!peer.blocks.empty()) {
    const auto contains = [&](const auto& block) { return block.contains(*who.address); };
    out = !who.address ? Tri::unknown
                       : tri(std::any_of(peer.blocks.begin(), peer.blocks.end(), contains) &&
                             std::none_of(peer.except.begin(), peer.except.end(), contains));
    noted(out, Missing::address, missing);
  }
  if (out != Tri::no && !peer.processes.empty())
    out = both(out, noted(who.process.empty() ? Tri::unknown : tri(among(who.process, peer.processes)),
                          Missing::process, missing));
  if (out != Tri::no) out = both(out, in_pod(peer, who, missing));
  return out;
}

Tri Matching::any(const std::vector<Peer>& peers, const Who& who, MissingSet& missing) const {
  if (peers.empty()) return Tri::yes;
  Tri out = Tri::no;
  for (const Peer& peer : peers) {
    MissingSet here = 0;
    const Tri answer = matches(peer, who, here);
    if (answer == Tri::yes) return answer;
    if (answer == Tri::unknown) missing |= here;
    out = either(out, answer);
  }
  return out;
}

Tri Matching::matches(const NetworkRule& rule, const Who& client, const Who& server, std::uint16_t port,
                      MissingSet& missing) const {
  Tri out = Tri::yes;
  if (!rule.every_port) {
    if (port == 0)
      out = noted(Tri::unknown, Missing::address, missing);
    else
      out = tri(std::any_of(rule.ports.begin(), rule.ports.end(), [&](const auto& one) { return one.contains(port); }));
  }
  if (out != Tri::no) out = both(out, any(rule.from, client, missing));
  if (out != Tri::no) out = both(out, any(rule.to, server, missing));
  return out;
}

}  // namespace tailcap::audit
