#include "analyze/report/audit/audit_report.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/json/or_null.h"
#include "analyze/report/words/json_schema.h"

namespace tailcap::report {
namespace {

using model::audit::Audit;
using model::audit::Example;
using model::audit::Named;
using model::audit::NetworkPolicy;
using model::audit::Tally;
using model::audit::Verdict;

class AuditJson {
 public:
  AuditJson(std::string& out, const Audit& audit) : json_(out), a_(audit) {}

  void write(const std::string& capture, const std::vector<Provenance>& files, const std::string& tailcap) {
    json_.begin_object();
    json_.field("schema", kJsonSchema);
    json_.field("tailcap", tailcap);
    json_.field("capture", capture);
    list("files", files, [&](const Provenance& file) {
      json_.begin_object();
      json_.field("file", file.file);
      json_.field("sha256", file.sha256);
      json_.end_object();
    });
    json_.field("default", a_.otherwise == Verdict::denied ? "deny" : "allow");
    json_.field("complete", !a_.damaged && !a_.some_left_out);
    json_.field("lost", a_.lost);
    json_.field("connections", a_.connections());
    for (const Verdict v : {Verdict::allowed, Verdict::denied, Verdict::unknown})
      json_.field(name_of(v), a_.of(v).count);
    json_.field("unselected", a_.unselected.count);
    policies();
    groups();
    exposures();
    json_.end_object();
  }

 private:
  template <class All, class Each>
  void list(std::string_view name, const All& all, Each each) {
    json_.key(name);
    json_.begin_array();
    for (const auto& one : all) each(one);
    json_.end_array();
  }

  void wall(std::string_view name, formats::Time t) {
    const bool known = formats::known(t) && a_.clock.known();
    field_or_null(json_, name, known, known ? a_.clock.realtime(t) : 0);
  }

  void tally(const Tally& tally) {
    json_.field("connections", tally.count);
    wall("first_ns", tally.first);
    wall("last_ns", tally.last);
  }

  void named(std::string_view name, const Named& who) {
    json_.key(name);
    json_.begin_object();
    json_.field("kind", name_of(who.kind));
    json_.key("name");
    json_.text_or_null(who.text);
    json_.end_object();
  }

  void examples(const std::vector<Example>& all) {
    list("examples", all, [&](const Example& e) {
      json_.begin_object();
      wall("at_ns", e.at);
      json_.field("from", e.from);
      json_.field("to", e.to);
      json_.end_object();
    });
  }

  void policies() {
    json_.key("policies");
    json_.begin_array();
    for (std::size_t p = 0; p < a_.policies.size(); ++p) {
      const NetworkPolicy& policy = a_.policies[p];
      const auto& t = a_.tallies[p];
      json_.begin_object();
      json_.field("name", policy.name);
      json_.field("kind", policy.kind == NetworkPolicy::Kind::kubernetes ? "NetworkPolicy" : "allow_list");
      json_.field("file", policy.file);
      json_.field("used", t.used());
      json_.field("selects", t.selected.count);
      json_.field("allows", t.of(Verdict::allowed).count);
      json_.field("denies", t.of(Verdict::denied).count);
      json_.field("unknown", t.of(Verdict::unknown).count);
      wall("first_ns", t.selected.first);
      wall("last_ns", t.selected.last);
      json_.key("rules");
      json_.begin_array();
      for (std::size_t r = 0; r < policy.rules.size(); ++r) {
        json_.begin_object();
        json_.field("name", policy.rules[r].name);
        tally(t.rules[r]);
        json_.end_object();
      }
      json_.end_array();
      examples(t.examples);
      json_.end_object();
    }
    json_.end_array();
  }

  void groups() {
    list("groups", a_.groups, [&](const model::audit::Group& g) {
      json_.begin_object();
      json_.field("verdict", name_of(g.verdict));
      named("who", g.who);
      json_.field("direction", !g.directed ? "unknown" : g.outgoing ? "to" : "from");
      named("peer", g.peer);
      field_or_null(json_, "port", g.port != 0, g.port);
      tally(g.connections);
      json_.field("failed", g.failed);
      list("by", g.by, [&](const std::string& name) { json_.text(name); });
      json_.key("missing");
      json_.begin_array();
      for (std::size_t i = 0; i < model::audit::kMissing; ++i)
        if (const auto m = static_cast<model::audit::Missing>(i); g.missing & model::audit::bit(m))
          json_.text(name_of(m));
      json_.end_array();
      examples(g.examples);
      json_.end_object();
    });
    json_.field("groups_left_out", a_.grouped_out[0] + a_.grouped_out[1] + a_.grouped_out[2]);
  }

  void exposures() {
    json_.key("exposed");
    if (a_.exposed_ports.empty()) return json_.null();
    json_.begin_object();
    json_.field("connections", a_.exposed);
    json_.field("unknown", a_.exposed_unknown);
    json_.field("local", a_.exposed_local);
    list("sources", a_.exposures, [&](const model::audit::Exposure& e) {
      json_.begin_object();
      json_.field("from", e.remote);
      json_.field("to", e.local);
      named("who", e.who);
      json_.field("sure", e.sure);
      tally(e.connections);
      examples(e.examples);
      json_.end_object();
    });
    json_.end_object();
  }

  JsonWriter json_;
  const Audit& a_;
};

}  // namespace

std::string audit_json(const Audit& audit, const std::string& capture, const std::vector<Provenance>& files,
                       const std::string& tailcap) {
  std::string out;
  AuditJson(out, audit).write(capture, files, tailcap);
  return out + "\n";
}

}  // namespace tailcap::report
