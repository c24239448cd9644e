#include "analyze/report/audit/audit_report.h"
#include "analyze/report/json/shape.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace of_audit {
namespace {

using model::audit::Audit;
using model::audit::ConnectionGroup;
using model::audit::ConnectionTally;
using model::audit::ConnectionVerdict;
using model::audit::Example;
using model::audit::Exposure;
using model::audit::Missing;
using model::audit::Named;
using model::audit::NetworkPolicy;
using model::audit::PolicyTally;

template <class T>
using AuditShape = Shape<T, Audit>;

struct JudgedRule {
  std::string_view name;
  ConnectionTally tally;
};
struct JudgedPolicy {
  const NetworkPolicy& policy;
  const PolicyTally& tally;
};

std::vector<JudgedRule> rules_of(const JudgedPolicy& p) {
  std::vector<JudgedRule> out;
  for (std::size_t r = 0; r < p.policy.rules.size(); ++r) out.push_back({p.policy.rules[r].name, p.tally.rules[r]});
  return out;
}
std::vector<JudgedPolicy> policies_of(const Audit& a) {
  std::vector<JudgedPolicy> out;
  for (std::size_t p = 0; p < a.policies.size(); ++p) out.push_back({a.policies[p], a.tallies[p]});
  return out;
}
std::vector<OneOf<Missing::labels>> missing_of(const ConnectionGroup& g) {
  std::vector<OneOf<Missing::labels>> out;
  for (std::size_t i = 0; i < model::audit::kMissing; ++i)
    if (const auto m = static_cast<Missing>(i); g.missing & model::audit::bit(m)) out.push_back({m});
  return out;
}

const JsonBounds kFew{.most_items = model::audit::kMostExamples};

const AuditShape<Example> kExample{
    "example",
    {
        {"at_ns", &Example::at},
        {"from", &Example::from, "address and port of the end that connected; unknown where they were not recorded"},
        {"to", &Example::to},
    }};

const AuditShape<ConnectionTally> kTally{
    "tally",
    {
        {"connections", &ConnectionTally::count},
        {"first_ns", &ConnectionTally::first, "since 1970; null where the capture has no clock"},
        {"last_ns", &ConnectionTally::last},
    }};

const AuditShape<Named> kNamed{
    "named",
    {
        {"kind", one_of<Named::Kind::address>(&Named::kind), "its pod, else its process, else its address"},
        {"name", or_null(&Named::text),
         "namespace/pod, the name of a process, or an address; null where kind is unknown"},
    }};

const AuditShape<JudgedRule> kRule{"rule", {{"name", &JudgedRule::name}, {kTally, &JudgedRule::tally}}};

const AuditShape<JudgedPolicy> kPolicy{
    "policy",
    {
        {"name", [](auto& p) { return p.policy.name; }},
        {"kind",
         [](auto& p) { return p.policy.kind == NetworkPolicy::Kind::kubernetes ? "NetworkPolicy" : "allow_list"; },
         "",
         {.values = {"allow_list", "NetworkPolicy"}}},
        {"file", [](auto& p) { return p.policy.file; }},
        {"used", [](auto& p) { return p.tally.used(); }, "it selects a connection, or may select one that is unknown"},
        {"selects", [](auto& p) { return p.tally.selected.count; }, "connections that it judges"},
        {"allows", [](auto& p) { return p.tally.of(ConnectionVerdict::allowed).count; },
         "connections that one of its rules matches"},
        {"denies", [](auto& p) { return p.tally.of(ConnectionVerdict::denied).count; },
         "denied connections that it selects and does not allow"},
        {"unknown", [](auto& p) { return p.tally.of(ConnectionVerdict::unknown).count; },
         "unknown connections that it may select or allow"},
        {"first_ns", [](auto& p) { return p.tally.selected.first; }},
        {"last_ns", [](auto& p) { return p.tally.selected.last; }},
        {"rules", kRule, rules_of, "and the connections that each matches"},
        {"examples", kExample, [](auto& p) { return p.tally.examples; }, "of the denied connections", kFew},
    }};

const AuditShape<ConnectionGroup> kGroup{
    "group",
    {
        {"verdict", one_of<ConnectionVerdict::unknown>(&ConnectionGroup::verdict)},
        {"who", kNamed, &ConnectionGroup::who},
        {"direction",
         [](auto& g) { return !g.directed  ? "unknown"
                              : g.outgoing ? "to"
                                           : "from"; },
         "to: who made the connection; from: who accepted it",
         {.values = {"to", "from", "unknown"}}},
        {"peer", kNamed, &ConnectionGroup::peer},
        {"port", or_null(&ConnectionGroup::port), "of the end that accepts", {.most = 65535}},
        {kTally, &ConnectionGroup::connections},
        {"failed", &ConnectionGroup::failed, "of them, those that were never established"},
        {"by",
         &ConnectionGroup::by,
         "allowed: rules that match; denied: policies that deny it; unknown: policies whose "
         "verdict is unknown. Empty: the default; the first 20",
         {.most_items = model::audit::kMostDeciders}},
        {"missing", missing_of, "what is not known, of an unknown verdict"},
        {"examples", kExample, &ConnectionGroup::examples, "", kFew},
    }};

const AuditShape<Exposure> kExposure{"exposure",
                                     {
                                         {"from", &Exposure::remote},
                                         {"to", &Exposure::local, "address and port"},
                                         {"who", kNamed, &Exposure::who, "that accepted"},
                                         {"sure", &Exposure::sure, "false: the source may be the machine itself"},
                                         {kTally, &Exposure::connections},
                                         {"examples", kExample, &Exposure::examples, "", kFew},
                                     }};

const AuditShape<Audit> kExposed{
    "exposed",
    {
        {"connections", &Audit::exposed, "accepted from another address than the machine's own"},
        {"unknown", &Audit::exposed_unknown},
        {"local", &Audit::exposed_local},
        {"sources", kExposure, &Audit::exposures, "most first"},
    }};

const AuditShape<Audit> kFound{
    "found",
    {
        {"default",
         [](auto& a) { return a.otherwise == ConnectionVerdict::denied ? "deny" : "allow"; },
         "the verdict on connections that no policy selects",
         {.values = {"allow", "deny"}}},
        {"complete", [](auto& a) { return !a.damaged && !a.some_left_out; },
         "false: events were lost, the capture is damaged, or only a part of the connections was recorded"},
        {"lost", &Audit::lost, "events"},
        {"connections", &Audit::connections, "allowed + denied + unknown"},
        {"allowed", [](auto& a) { return a.of(ConnectionVerdict::allowed).count; }},
        {"denied", [](auto& a) { return a.of(ConnectionVerdict::denied).count; }},
        {"unknown", [](auto& a) { return a.of(ConnectionVerdict::unknown).count; }},
        {"unselected", [](auto& a) { return a.unselected.count; },
         "connections that no policy selects, to which the default applies"},
        {"policies", kPolicy, policies_of},
        {"groups", kGroup, &Audit::groups, "denied, unknown, then allowed; most connections first"},
        {"groups_left_out", [](auto& a) { return a.grouped_out[0] + a.grouped_out[1] + a.grouped_out[2]; },
         "connections of groups beyond the first 10,000 of each verdict"},
        {"exposed", kExposed, [](auto& a) { return where(!a.exposed_ports.empty(), a); }, "null without --expose"},
    }};

struct AuditDocument {
  const Audit& audit;
  std::string_view tailcap, capture;
  const std::vector<Provenance>& files;
};
const AuditShape<AuditDocument> kAudit{"audit",
                                       {
                                           {"schema", [](auto&) { return kJsonSchema; }, "", {.is = kJsonSchema}},
                                           {"tailcap", &AuditDocument::tailcap, "the version that audited it"},
                                           {"capture", &AuditDocument::capture},
                                           {"files", provenance_shape(), Refer{[](auto& d) { return &d.files; }},
                                            "those with policies, and that of --pods"},
                                           {kFound, Refer{[](auto& d) { return &d.audit; }}},
                                       }};

}  // namespace
}  // namespace of_audit

std::string audit_json(const model::audit::Audit& audit, const std::string& capture,
                       const std::vector<Provenance>& files, const std::string& tailcap) {
  return json_of(of_audit::kAudit, of_audit::AuditDocument{audit, tailcap, capture, files}, audit);
}

std::string audit_schema() {
  return json_schema(of_audit::kAudit, "tailcap audit --json",
                     "Network policies held against the TCP connections of a recording. null: not known; never 0. "
                     "audit.md says what the verdicts mean.");
}

}  // namespace tailcap::report
