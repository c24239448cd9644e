#include "analyze/audit/audit.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

#include "analyze/audit/connections.h"
#include "analyze/audit/exposures.h"
#include "analyze/audit/judge.h"
#include "analyze/audit/names.h"

namespace tailcap::audit {

using model::audit::Audit;
using model::audit::ConnectionGroup;
using model::audit::ConnectionTally;
using model::audit::ConnectionVerdict;
using model::audit::Example;
using model::audit::kMostExamples;
using model::audit::NetworkPolicy;
using model::audit::PolicyTally;

namespace {

constexpr std::size_t kMostGroups = 10'000;  // of each verdict

// Connections that every policy judges alike.
struct Flow {
  std::size_t client = 0, server = 0;
  std::uint16_t port = 0;        // of the server
  std::uint16_t other_port = 0;  // of an undirected one: of its recorded end
  bool directed = true;
  auto operator<=>(const Flow&) const = default;
};
struct FlowTally {
  ConnectionTally all;
  std::uint64_t failed = 0;
  std::vector<Example> examples;
};

void add_examples(std::vector<Example>& to, const std::vector<Example>& from) {
  for (const Example& example : from)
    if (to.size() < kMostExamples) to.push_back(example);
}

class Auditor {
 public:
  Auditor(AuditQuestion question, const model::audit::Pods& pods) : judge_(out_.policies, pods, question.otherwise) {
    out_.otherwise = question.otherwise;
    out_.policies = std::move(question.policies);
    out_.exposed_ports = std::move(question.exposed_ports);
    for (const NetworkPolicy& policy : out_.policies) out_.tallies.emplace_back().rules.resize(policy.rules.size());
  }

  Audit run(const AuditedConnections& connections, const Ends& ends) {
    for (const AuditedConnection& c : connections.all) add(c, connections);
    // In order of time, so that examples are the first ones.
    std::vector<std::pair<const Flow*, const FlowTally*>> in_order;
    for (const auto& [flow, tally] : flows_) in_order.emplace_back(&flow, &tally);
    std::stable_sort(in_order.begin(), in_order.end(),
                     [](const auto& a, const auto& b) { return a.second->all.first < b.second->all.first; });
    for (const auto& [flow, tally] : in_order) settle(*flow, *tally, connections.who);
    sort_groups();
    expose(connections, ends, out_);
    out_.clock = ends.clock();
    out_.lost = ends.lost();
    out_.damaged = ends.damaged();
    out_.some_left_out = ends.full();
    return std::move(out_);
  }

 private:
  void add(const AuditedConnection& c, const AuditedConnections& connections) {
    const Flow flow{c.client, c.server, c.server_port, c.directed ? std::uint16_t{0} : c.client_port, c.directed};
    FlowTally& tally = flows_[flow];
    tally.all.add(1, c.first, c.first);
    tally.failed += !c.established;
    if (tally.examples.size() < kMostExamples) tally.examples.push_back(example_of(c, connections.who));
  }

  void settle(const Flow& flow, const FlowTally& tally, const std::vector<Who>& who) {
    const Who &client = who[flow.client], &server = who[flow.server];
    const Judgement judgement = flow.directed ? judge_.judge(client, server, flow.port)
                                              : judge_.undirected(client, flow.other_port, server, flow.port);
    const auto add_to = [&](ConnectionTally& to) { to.add(tally.all.count, tally.all.first, tally.all.last); };
    const auto of = [&](std::size_t policy, ConnectionVerdict v) -> ConnectionTally& {
      return out_.tallies[policy].by_verdict[static_cast<std::size_t>(v)];
    };
    add_to(out_.total[static_cast<std::size_t>(judgement.verdict)]);
    if (judgement.selects.empty() && judgement.open.empty()) add_to(out_.unselected);
    for (const std::size_t p : judgement.selects) add_to(out_.tallies[p].selected);
    for (const std::size_t p : judgement.allows) add_to(of(p, ConnectionVerdict::allowed));
    for (const std::size_t p : judgement.by_default) add_to(of(p, ConnectionVerdict::allowed));
    for (const std::size_t p : judgement.open) add_to(of(p, ConnectionVerdict::unknown));
    for (const auto& [p, r] : judgement.rules) add_to(out_.tallies[p].rules[r]);
    for (const std::size_t p : judgement.denies) {
      add_to(of(p, ConnectionVerdict::denied));
      add_examples(out_.tallies[p].examples, tally.examples);
    }
    group(flow, tally, judgement, client, server);
  }

  void group(const Flow& flow, const FlowTally& tally, const Judgement& judgement, const Who& client,
             const Who& server) {
    // Who is asked about: the end whose policies deny it, else the one that was recorded.
    const bool ingress = judgement.verdict == ConnectionVerdict::denied && judgement.by_ingress;
    const bool outgoing = !ingress && (client.recorded || !server.recorded);
    ConnectionGroup one;
    one.verdict = judgement.verdict;
    one.who = named(outgoing ? client : server);
    one.peer = named(outgoing ? server : client);
    one.directed = flow.directed;
    one.outgoing = outgoing;
    one.port = flow.directed ? flow.port : std::uint16_t{0};
    one.by = deciders(judgement);
    one.missing = judgement.missing;
    const auto key =
        std::tuple(one.verdict, one.who, one.peer, one.directed, one.outgoing, one.port, one.by, one.missing);
    auto found = groups_.find(key);
    if (found == groups_.end()) {
      auto& count = groups_of_[static_cast<std::size_t>(one.verdict)];
      if (count >= kMostGroups) {
        out_.grouped_out[static_cast<std::size_t>(one.verdict)] += tally.all.count;
        return;
      }
      ++count;
      found = groups_.emplace(key, out_.groups.size()).first;
      out_.groups.push_back(std::move(one));
    }
    ConnectionGroup& into = out_.groups[found->second];
    into.connections.add(tally.all.count, tally.all.first, tally.all.last);
    into.failed += tally.failed;
    add_examples(into.examples, tally.examples);
  }

  std::vector<std::string> deciders(const Judgement& judgement) const {
    std::vector<std::string> out;
    const auto add = [&](std::size_t p, const std::string& rule) {
      if (out.size() < model::audit::kMostDeciders) out.push_back(out_.policies[p].name + rule);
    };
    if (judgement.verdict == ConnectionVerdict::denied)
      for (const std::size_t p : judgement.denies) add(p, "");
    if (judgement.verdict == ConnectionVerdict::unknown)
      for (const std::size_t p : judgement.open) add(p, "");
    if (judgement.verdict != ConnectionVerdict::allowed) return out;
    for (const auto& [p, r] : judgement.rules) add(p, ": " + out_.policies[p].rules[r].name);
    for (const std::size_t p : judgement.by_default) add(p, ": default");
    return out;
  }

  void sort_groups() {
    constexpr auto rank = [](ConnectionVerdict v) {
      return v == ConnectionVerdict::denied ? 0 : v == ConnectionVerdict::unknown ? 1 : 2;
    };
    std::stable_sort(out_.groups.begin(), out_.groups.end(), [&](const ConnectionGroup& a, const ConnectionGroup& b) {
      if (a.verdict != b.verdict) return rank(a.verdict) < rank(b.verdict);
      if (a.connections.count != b.connections.count) return a.connections.count > b.connections.count;
      return std::tie(a.who, a.peer, a.port) < std::tie(b.who, b.peer, b.port);
    });
  }

  Audit out_;
  Judge judge_;
  std::map<Flow, FlowTally> flows_;
  std::map<std::tuple<ConnectionVerdict, model::audit::Named, model::audit::Named, bool, bool, std::uint16_t,
                      std::vector<std::string>, model::audit::MissingSet>,
           std::size_t>
      groups_;
  std::array<std::size_t, model::audit::kVerdicts> groups_of_{};
};

}  // namespace

Audit audit(AuditQuestion question, const model::audit::Pods& pods, Ends& ends) {
  Auditor auditor(std::move(question), pods);
  const AuditedConnections connections = connections_of(ends.take(), ends.processes(), ends.containers(), pods);
  return auditor.run(connections, ends);
}

}  // namespace tailcap::audit
