#include <algorithm>

#include "analyze/report/audit/audit_report.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "ground/text.h"

namespace tailcap::report {
namespace {

using model::audit::Audit;
using model::audit::ConnectionGroup;
using model::audit::ConnectionTally;
using model::audit::ConnectionVerdict;
using model::audit::Example;
using model::audit::Exposure;
using model::audit::Named;
using model::audit::NetworkPolicy;
using model::audit::PolicyTally;
using render::Column;
using render::Table;
using render::Tone;

std::string connection_count(std::uint64_t n) { return count_text(n, "connection", "connections"); }

std::string name_text(const Named& name) {
  return name.kind == Named::Kind::unknown ? std::string("unknown") : printable(name.text);
}

class AuditWriter {
 public:
  AuditWriter(const Audit& audit, std::size_t most) : a_(audit), most_(most) {}

  render::Document write(const std::string& capture) {
    out_.heading(1, "Audit of " + printable(capture));
    head();
    denied();
    unknown();
    exposures();
    if (!a_.policies.empty()) policies();
    unused();
    out_.note("Connections of the recorded processes are audited. " + (a_.policies.empty() ? "" : otherwise()));
    return std::move(out_);
  }

 private:
  std::string at(Time t) const { return offset_text(t, a_.begin); }

  std::string otherwise() const {
    return std::string("A connection that no policy selects is ") +
           (a_.otherwise == ConnectionVerdict::denied ? "denied." : "allowed.") +
           " Unknown is a verdict of its own: the capture does not say enough.";
  }

  render::Facts::Line verdict(std::uint64_t denied, std::uint64_t unknown) const {
    if (a_.connections() == 0) return {Tone::care, "verdict", "no TCP connection was recorded"};
    if (a_.policies.empty())
      return {a_.exposed > 0 ? Tone::alarm : Tone::plain, "verdict",
              count_text(a_.exposed) + " of " + connection_count(a_.connections()) + " came to an exposed port"};
    if (denied > 0)
      return {Tone::alarm, "verdict",
              count_text(denied) + " of " + connection_count(a_.connections()) +
                  (denied == 1 ? " is denied" : " are denied")};
    if (unknown > 0) return {Tone::care, "verdict", "no connection is denied, and not all are decided"};
    return {Tone::plain, "verdict", "all connections are allowed"};
  }

  void head() {
    const std::uint64_t denied = a_.of(ConnectionVerdict::denied).count,
                        unknown = a_.of(ConnectionVerdict::unknown).count;
    render::Facts facts;
    facts.boxed = true;
    facts.verdict = verdict(denied, unknown);
    if (!a_.policies.empty())
      facts.lines.push_back({Tone::plain, "connections",
                             count_text(a_.of(ConnectionVerdict::allowed).count) + " allowed, " + count_text(denied) +
                                 " denied, " + count_text(unknown) + " unknown"});
    if (!a_.policies.empty() && a_.unselected.count > 0)
      facts.lines.push_back({Tone::plain, "not selected",
                             connection_count(a_.unselected.count) + " by any policy: " +
                                 (a_.otherwise == ConnectionVerdict::denied ? "denied" : "allowed")});
    if (!a_.exposed_ports.empty())
      facts.lines.push_back({a_.exposed > 0 ? Tone::alarm : Tone::plain, "exposed",
                             connection_count(a_.exposed) + " from other addresses, " + count_text(a_.exposed_unknown) +
                                 " unknown, " + count_text(a_.exposed_local) + " local"});
    if (a_.lost > 0)
      facts.lines.push_back({Tone::care, "lost", count_text(a_.lost, "event", "events") + ": counts are lower bounds"});
    else if (a_.damaged)
      facts.lines.push_back({Tone::care, "incomplete", "a part of the capture is missing: counts are lower bounds"});
    if (a_.some_left_out)
      facts.lines.push_back({Tone::care, "left out", "only a part of the connections was recorded or read"});
    out_.add(std::move(facts));
  }

  void add_examples(render::Row& row, const std::vector<Example>& examples) const {
    for (const Example& e : examples) row.below.emplace_back(Tone::plain, at(e.at) + "  " + e.from + " to " + e.to);
  }

  void add_times(render::Row& row, const ConnectionTally& tally) const {
    row.cells.emplace_back(at(tally.first));
    row.cells.emplace_back(at(tally.last));
  }

  static std::string direction(const ConnectionGroup& g) { return !g.directed ? "with" : g.outgoing ? "to" : "from"; }

  void more(Table& table, std::size_t all, std::uint64_t beyond) const {
    const std::uint64_t left = all - std::min(all, most_);
    if (table.rows.empty() || (left == 0 && beyond == 0)) return;
    std::string text = "and " + count_text(left, "more group", "more groups");
    if (beyond > 0) text += ", and " + connection_count(beyond) + " of further groups";
    table.rows.back().below.emplace_back(Tone::plain, text);
  }

  std::vector<const ConnectionGroup*> groups(ConnectionVerdict verdict) const {
    std::vector<const ConnectionGroup*> out;
    for (const ConnectionGroup& g : a_.groups)
      if (g.verdict == verdict) out.push_back(&g);
    return out;
  }

  std::uint64_t beyond(ConnectionVerdict verdict) const { return a_.grouped_out[static_cast<std::size_t>(verdict)]; }

  void denied() {
    const auto all = groups(ConnectionVerdict::denied);
    if (all.empty()) return;
    out_.heading(2, "Denied connections");
    Table table;
    table.columns = {{"who", Column::Kind::name},
                     {"", Column::Kind::word},
                     {"peer", Column::Kind::name},
                     {"port"},
                     {"connections"},
                     {"first"},
                     {"last"},
                     {"denied by", Column::Kind::name}};
    for (std::size_t i = 0; i < std::min(most_, all.size()); ++i) {
      const ConnectionGroup& g = *all[i];
      render::Row row;
      row.cells = {name_text(g.who), direction(g), name_text(g.peer), g.port != 0 ? std::to_string(g.port) : "–",
                   count_text(g.connections.count)};
      add_times(row, g.connections);
      row.cells.emplace_back(g.by.empty() ? "--default deny" : printable(ground::joined(g.by)));
      if (g.failed > 0) row.below.emplace_back(Tone::plain, count_text(g.failed) + " never established");
      add_examples(row, g.examples);
      table.rows.push_back(std::move(row));
    }
    more(table, all.size(), beyond(ConnectionVerdict::denied));
    out_.add(std::move(table));
  }

  void unknown() {
    const auto all = groups(ConnectionVerdict::unknown);
    if (all.empty()) return;
    out_.heading(2, "Unknown");
    Table table;
    table.columns = {
        {"who", Column::Kind::name}, {"", Column::Kind::word}, {"peer", Column::Kind::name}, {"port"}, {"connections"},
        {"why", Column::Kind::name}};
    for (std::size_t i = 0; i < std::min(most_, all.size()); ++i) {
      const ConnectionGroup& g = *all[i];
      table.rows.push_back(
          {.cells = {name_text(g.who), direction(g), name_text(g.peer), g.port != 0 ? std::to_string(g.port) : "–",
                     count_text(g.connections.count), missing_text(g.missing)}});
    }
    more(table, all.size(), beyond(ConnectionVerdict::unknown));
    out_.add(std::move(table));
  }

  void exposures() {
    if (a_.exposures.empty()) return;
    out_.heading(2, "Exposed ports");
    Table table;
    table.columns = {{"from", Column::Kind::word},
                     {"to", Column::Kind::word},
                     {"accepted by", Column::Kind::name},
                     {"connections"},
                     {"first"},
                     {"last"}};
    for (std::size_t i = 0; i < std::min(most_, a_.exposures.size()); ++i) {
      const Exposure& e = a_.exposures[i];
      render::Row row;
      row.cells = {e.remote, e.local, name_text(e.who), count_text(e.connections.count)};
      add_times(row, e.connections);
      if (!e.sure)
        row.below.emplace_back(Tone::care,
                               "unknown: the capture does not say whether this is the machine's own address");
      add_examples(row, e.examples);
      table.rows.push_back(std::move(row));
    }
    more(table, a_.exposures.size(), 0);
    out_.add(std::move(table));
  }

  void policies() {
    out_.heading(2, "Policies");
    Table table;
    table.columns = {
        {"policy", Column::Kind::name}, {"selects"}, {"allows"}, {"denies"}, {"unknown"}, {"first"}, {"last"}};
    std::size_t shown = 0;
    for (std::size_t p = 0; p < a_.policies.size() && shown < most_; ++p, ++shown) {
      const PolicyTally& t = a_.tallies[p];
      render::Row row;
      row.strong = true;
      row.cells = {printable(a_.policies[p].name), count_text(t.selected.count),
                   count_text(t.of(ConnectionVerdict::allowed).count),
                   count_text(t.of(ConnectionVerdict::denied).count),
                   count_text(t.of(ConnectionVerdict::unknown).count)};
      add_times(row, t.selected);
      table.rows.push_back(std::move(row));
      for (std::size_t r = 0; r < std::min(most_, t.rules.size()); ++r) {
        render::Row rule;
        rule.cells = {printable(a_.policies[p].rules[r].name), "", count_text(t.rules[r].count), "", ""};
        rule.cells.front().indent = 1;
        add_times(rule, t.rules[r]);
        table.rows.push_back(std::move(rule));
      }
      if (t.rules.size() > most_)
        table.rows.back().below.emplace_back(Tone::plain,
                                             "and " + count_text(t.rules.size() - most_, "more rule", "more rules"));
    }
    if (a_.policies.size() > shown)
      table.rows.back().below.emplace_back(
          Tone::plain, "and " + count_text(a_.policies.size() - shown, "more policy", "more policies"));
    out_.add(std::move(table));
  }

  void unused() {
    std::vector<std::string> lines;
    for (std::size_t p = 0; p < a_.policies.size(); ++p) {
      const std::string name = printable(a_.policies[p].name);
      if (!a_.tallies[p].used()) {
        lines.push_back(name + " selects no connection.");
        continue;
      }
      // A rule may be meant by a connection that is unknown.
      if (a_.tallies[p].of(ConnectionVerdict::unknown).count > 0) continue;
      for (std::size_t r = 0; r < a_.policies[p].rules.size(); ++r)
        if (a_.tallies[p].rules[r].count == 0)
          lines.push_back(name + ": no connection matches " + printable(a_.policies[p].rules[r].name) + ".");
    }
    if (lines.empty()) return;
    out_.heading(2, "Unused policies and rules");
    const std::size_t all = lines.size();
    if (all > most_) {
      lines.resize(most_);
      lines.push_back("And " + count_text(all - most_) + " more.");
    }
    out_.list(lines);
  }

  const Audit& a_;
  std::size_t most_;
  render::Document out_;
};

}  // namespace

std::string missing_text(model::audit::MissingSet missing) {
  std::vector<std::string_view> out;
  for (std::size_t i = 0; i < model::audit::kMissing; ++i)
    if (const auto m = static_cast<model::audit::Missing>(i); missing & model::audit::bit(m))
      out.push_back(model::audit::sentence_of(m));
  return ground::joined(out, "; ");
}

render::Document audit_document(const Audit& audit, const std::string& capture, std::size_t most) {
  return AuditWriter(audit, most).write(capture);
}

}  // namespace tailcap::report
