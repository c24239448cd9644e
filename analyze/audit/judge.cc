#include "analyze/audit/judge.h"

#include <algorithm>

namespace tailcap::audit {

using model::audit::bit;
using model::audit::ConnectionVerdict;
using model::audit::Missing;
using model::audit::MissingSet;
using model::audit::NetworkPolicy;
using PolicySide = model::audit::RuleSide;

// A connection, and what became of the policies that judge one side of it.
struct Judge::Side {
  const Who& client;
  const Who& server;
  std::uint16_t port;
  std::vector<std::size_t> against = {};  // policies that select it and do not allow it
  MissingSet missing = 0;
};

namespace {

// Within a pod, and within a machine, no policy of Kubernetes applies.
bool within_a_pod(const Who& client, const Who& server) {
  if ((client.address && model::audit::is_loopback(*client.address)) ||
      (server.address && model::audit::is_loopback(*server.address)))
    return true;
  return !client.pod.empty() && client.pod == server.pod && client.name_space == server.name_space;
}

}  // namespace

Judge::Outcomes Judge::lists(Side& side, Judgement& out) const {
  Outcomes outcomes;
  bool allowed = false, denies = false;
  std::vector<std::size_t> by_default;
  for (std::size_t p = 0; p < policies_.size(); ++p) {
    const NetworkPolicy& list = policies_[p];
    if (list.kind != NetworkPolicy::Kind::allow_list) continue;
    outcomes.unselected = false;
    out.selects.push_back(p);
    Tri any = Tri::no;
    for (std::size_t r = 0; r < list.rules.size(); ++r) {
      MissingSet missing = 0;
      const Tri answer = matching_.matches(list.rules[r], side.client, side.server, side.port, missing);
      if (answer == Tri::yes) out.rules.emplace_back(p, r);
      if (answer == Tri::unknown) side.missing |= missing;
      any = either(any, answer);
    }
    if (any == Tri::yes) out.allows.push_back(p);
    if (any == Tri::unknown) out.open.push_back(p);
    if (any == Tri::no) (list.denies_others ? side.against : by_default).push_back(p);
    allowed = allowed || any == Tri::yes;
    denies = denies || list.denies_others;
    outcomes.allowed = outcomes.allowed || any != Tri::no;
  }
  if (outcomes.unselected) return outcomes;
  outcomes.denied = !allowed && denies;
  outcomes.allowed = outcomes.allowed || !denies;
  if (!allowed && !denies) out.by_default = std::move(by_default);
  return outcomes;
}

Judge::Outcomes Judge::pods(Side& side, bool ingress, Judgement& out) const {
  Outcomes outcomes;
  const Who& subject = ingress ? side.server : side.client;
  // An end that is neither recorded nor listed is beyond what is audited.
  if ((!subject.recorded && !subject.listed) || within_a_pod(side.client, side.server)) return outcomes;
  bool allowed = false, may_deny = false;
  for (std::size_t p = 0; p < policies_.size(); ++p) {
    const NetworkPolicy& policy = policies_[p];
    if (policy.kind != NetworkPolicy::Kind::kubernetes || !(ingress ? policy.ingress : policy.egress)) continue;
    MissingSet missing = 0;
    const Tri selected = matching_.matches(policy.selected, subject, missing);
    if (selected == Tri::no) continue;
    if (selected == Tri::unknown) side.missing |= missing;
    if (selected == Tri::yes) {
      out.selects.push_back(p);
      outcomes.unselected = false;
    }
    Tri any = Tri::no;
    for (std::size_t r = 0; r < policy.rules.size(); ++r) {
      const model::audit::NetworkRule& rule = policy.rules[r];
      if (rule.side != (ingress ? PolicySide::ingress : PolicySide::egress)) continue;
      MissingSet open = 0;
      const Tri answer = matching_.matches(rule, side.client, side.server, side.port, open);
      if (answer == Tri::yes && selected == Tri::yes) out.rules.emplace_back(p, r);
      if (answer == Tri::unknown) side.missing |= open;
      any = either(any, answer);
    }
    if (selected == Tri::unknown || any == Tri::unknown)
      out.open.push_back(p);
    else
      (any == Tri::yes ? out.allows : side.against).push_back(p);
    allowed = allowed || (selected == Tri::yes && any == Tri::yes);
    may_deny = may_deny || any != Tri::yes;
    outcomes.allowed = outcomes.allowed || any != Tri::no;
  }
  outcomes.denied = !allowed && may_deny;
  return outcomes;
}

Judgement Judge::judge(const Who& client, const Who& server, std::uint16_t port) const {
  Judgement out;
  Side sides[] = {{client, server, port}, {client, server, port}, {client, server, port}};
  const Outcomes outcomes[] = {lists(sides[0], out), pods(sides[1], false, out), pods(sides[2], true, out)};
  bool any_denied = false, any_allowed = false, all_pass = true, all_unselected = true;
  for (std::size_t i = 0; i < std::size(sides); ++i) {
    const Outcomes& one = outcomes[i];
    if (one.denied && !one.allowed && !one.unselected) {
      out.by_ingress = i == 2 && out.denies.empty();
      out.denies.insert(out.denies.end(), sides[i].against.begin(), sides[i].against.end());
    }
    any_denied = any_denied || one.denied;
    any_allowed = any_allowed || one.allowed;
    all_pass = all_pass && (one.allowed || one.unselected);
    all_unselected = all_unselected && one.unselected;
  }
  const bool may_be_denied = any_denied || (all_unselected && otherwise_ == ConnectionVerdict::denied);
  const bool may_be_allowed = all_pass && (any_allowed || otherwise_ == ConnectionVerdict::allowed);
  if (may_be_denied && may_be_allowed) {
    for (const Side& side : sides) out.missing |= side.missing;
    out.denies.clear();
  } else {
    out.verdict = may_be_denied ? ConnectionVerdict::denied : ConnectionVerdict::allowed;
    if (out.verdict == ConnectionVerdict::allowed) out.denies.clear();
    out.open.clear();
  }
  // A policy that judges both sides does so once.
  for (auto* list : {&out.selects, &out.allows, &out.denies, &out.open}) {
    std::sort(list->begin(), list->end());
    list->erase(std::unique(list->begin(), list->end()), list->end());
  }
  return out;
}

Judgement Judge::undirected(const Who& one, std::uint16_t port, const Who& other, std::uint16_t other_port) const {
  Judgement out;
  out.missing = bit(Missing::direction);
  for (const Judgement& may : {judge(one, other, other_port), judge(other, one, port)})
    for (const auto* list : {&may.selects, &may.open}) out.open.insert(out.open.end(), list->begin(), list->end());
  std::sort(out.open.begin(), out.open.end());
  out.open.erase(std::unique(out.open.begin(), out.open.end()), out.open.end());
  if (out.open.empty()) {  // no policy can select it, whichever end made it
    out.verdict = otherwise_;
    out.missing = 0;
  }
  return out;
}

}  // namespace tailcap::audit
