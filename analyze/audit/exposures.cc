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

// Whether it comes from the machine that accepted it, or from another namespace of its network, which counts as beyond.
Tri local(const Connection& c, const Connections& connections, const Ends& ends) {
  const auto &from = connections.who[c.client].address, &to = connections.who[c.server].address;
  if (!from) return Tri::unknown;
  if (model::audit::is_loopback(*from) || from == to) return Tri::yes;
  if (c.client_namespace != 0 && c.server_namespace != 0) return tri(c.client_namespace == c.server_namespace);
  const Who &client = connections.who[c.client], &server = connections.who[c.server];
  if (!client.pod.empty() && !server.pod.empty())
    return tri(client.pod == server.pod && client.name_space == server.name_space);
  const auto* own = ends.addresses_of(c.server_namespace);
  if (!own) return Tri::unknown;
  return tri(std::find(own->begin(), own->end(), *from) != own->end());
}

}  // namespace

void expose(const Connections& connections, const Ends& ends, Audit& audit) {
  const auto asked = [&](std::uint16_t port) {
    return std::any_of(audit.exposed_ports.begin(), audit.exposed_ports.end(),
                       [&](const auto& range) { return range.contains(port); });
  };
  std::map<std::tuple<bool, std::size_t, std::size_t, std::uint16_t>, std::size_t> found;
  for (const Connection& c : connections.all) {
    // One that is not directed was accepted, or was made from this port.
    const std::size_t here = c.directed ? c.server : c.client, there = c.directed ? c.client : c.server;
    const std::uint16_t port = c.directed ? c.server_port : c.client_port;
    if (!connections.who[here].recorded || !c.established || !asked(port)) continue;
    const Tri is_local = c.directed ? local(c, connections, ends) : Tri::unknown;
    if (is_local == Tri::yes) {
      ++audit.exposed_local;
      continue;
    }
    const bool sure = is_local == Tri::no;
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
