#include "analyze/report/compact/services.h"

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report::compact {
namespace {

using model::Topology;
using model::TopologyNode;

constexpr std::size_t kName = 24, kNamed = 4;  // columns of a name; services of one distance

bool shown(const TopologyNode& node) { return node.kind != TopologyNode::Kind::callers; }

// For each node, the smallest number of calls from where requests come in; unset: callers that were not recorded.
std::vector<std::optional<std::size_t>> distances(const Topology& t) {
  std::vector<std::optional<std::size_t>> out(t.nodes.size());
  std::vector<bool> called(t.nodes.size());
  for (const auto& c : t.calls)
    if (c.from != c.to && shown(t.nodes[c.from])) called[c.to] = true;
  for (std::size_t i = 0; i < out.size(); ++i)
    if (shown(t.nodes[i]) && !called[i]) out[i] = 0;
  // Services that call each other in a circle: the one with the most calls begins.
  if (std::ranges::none_of(out, [](const auto& d) { return d.has_value(); }) && !t.calls.empty())
    out[shown(t.nodes[t.calls.front().from]) ? t.calls.front().from : t.calls.front().to] = 0;
  for (std::size_t round = 0; round < out.size(); ++round)
    for (const auto& c : t.calls)
      if (out[c.from] == round && !out[c.to]) out[c.to] = round + 1;
  return out;
}

const std::vector<std::size_t>* answers_of(const TopologyNode& node,
                                           const std::map<std::string, std::vector<std::size_t>>& answers) {
  if (node.kind != TopologyNode::Kind::service) return nullptr;
  const auto found = answers.find(node.name.substr(0, node.name.rfind(" :")));
  return found == answers.end() || found->second.empty() ? nullptr : &found->second;
}

std::string name_text(const TopologyNode& node, const std::map<std::string, std::vector<std::size_t>>& answers) {
  std::string out = shortened(printable(node.name), kName);
  const auto* const own = answers_of(node, answers);
  if (!own) return out;
  out += own->size() == 1 ? " [answer " : " [answers ";
  for (std::size_t i = 0; i < own->size(); ++i) out += (i == 0 ? "" : ", ") + std::to_string((*own)[i]);
  return out + "]";
}

}  // namespace

std::string services_text(const Topology& topology, const std::map<std::string, std::vector<std::size_t>>& answers,
                          std::string_view arrow) {
  const auto distance = distances(topology);
  std::string out;
  for (std::size_t step = 0; step <= topology.nodes.size(); ++step) {
    std::vector<const TopologyNode*> all;
    for (std::size_t i = 0; i < topology.nodes.size(); ++i)
      if (distance[i] == step) all.push_back(&topology.nodes[i]);
    if (all.empty()) break;
    // The first answers begin here.
    std::ranges::stable_sort(all, {}, [&](const TopologyNode* node) {
      const auto* const own = answers_of(*node, answers);
      return own ? own->front() : std::numeric_limits<std::size_t>::max();
    });
    std::string names;
    for (std::size_t i = 0; i < std::min(kNamed, all.size()); ++i)
      names += (names.empty() ? "" : ", ") + name_text(*all[i], answers);
    if (all.size() > kNamed) names += " and " + count_text(all.size() - kNamed) + " more";
    out += (out.empty() ? "" : " " + std::string(arrow) + " ") + names;
  }
  return out;
}

}  // namespace tailcap::report::compact
