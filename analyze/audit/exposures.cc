#include "analyze/audit/exposures.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "analyze/audit/names.h"

namespace tailcap::audit {

using model::audit::Audit;
using model::audit::Exposure;
using model::audit::kMostExamples;

namespace {

constexpr std::size_t kMostExposures = 10'000;

// One end of a connection, and the network namespace that it was recorded in; 0: it was not.
struct Place {
  const Who& who;
  std::uint32_t net_namespace;
};

// Whether both are the same machine. Another namespace of its network counts as another machine.
Tri same(const Place& here, const Place& there, const Ends& ends) {
  const auto &to = here.who.address, &from = there.who.address;
  if (!from) return Tri::unknown;
  if (model::audit::is_loopback(*from) || from == to) return Tri::yes;
  if (here.net_namespace != 0 && there.net_namespace != 0) return tri(here.net_namespace == there.net_namespace);
  if (!here.who.pod.empty() && !there.who.pod.empty())
    return tri(here.who.pod == there.who.pod && here.who.name_space == there.who.name_space);
  const auto* own = ends.addresses_of(here.net_namespace);
  if (!own) return Tri::unknown;
  return tri(std::find(own->begin(), own->end(), *from) != own->end());
}

}  // namespace

void expose(const AuditedConnections& connections, const Ends& ends, Audit& audit) {
  const auto asked = [&](std::uint16_t port) {
    return std::any_of(audit.exposed_ports.begin(), audit.exposed_ports.end(),
                       [&](const auto& range) { return range.contains(port); });
  };
  std::map<std::tuple<bool, std::size_t, std::size_t, std::uint16_t>, std::size_t> found;
  for (const AuditedConnection& c : connections.all) {
    // One that is not directed was accepted, or was made from this port.
    const std::size_t here = c.directed ? c.server : c.client, there = c.directed ? c.client : c.server;
    const std::uint16_t port = c.directed ? c.server_port : c.client_port;
    if (!connections.who[here].recorded || !c.established || !asked(port)) continue;
    const Tri is_local = same({connections.who[here], c.directed ? c.server_namespace : c.client_namespace},
                              {connections.who[there], c.directed ? c.client_namespace : c.server_namespace}, ends);
    if (is_local == Tri::yes) {
      ++audit.exposed_local;
      continue;
    }
    const bool sure = c.directed && is_local == Tri::no;
    ++(sure ? audit.exposed : audit.exposed_unknown);
    const auto key = std::tuple(!sure, here, there, port);
    auto at = found.find(key);
    if (at == found.end()) {
      if (audit.exposures.size() >= kMostExposures) continue;
      at = found.emplace(key, audit.exposures.size()).first;
      const auto &own = connections.who[here].address, &other = connections.who[there].address;
      audit.exposures.push_back({sure,
                                 named(connections.who[here]),
                                 own ? model::audit::ip_text(*own, port) : "unknown",
                                 other ? model::audit::ip_text(*other) : "unknown",
                                 {},
                                 {}});
    }
    Exposure& into = audit.exposures[at->second];
    into.connections.add(1, c.first, c.first);
    if (into.examples.size() < kMostExamples) into.examples.push_back(example_of(c, connections.who));
  }
  std::stable_sort(audit.exposures.begin(), audit.exposures.end(), [](const Exposure& a, const Exposure& b) {
    if (a.sure != b.sure) return a.sure;
    if (a.connections.count != b.connections.count) return a.connections.count > b.connections.count;
    return std::tie(a.local, a.remote) < std::tie(b.local, b.remote);
  });
}

}  // namespace tailcap::audit
