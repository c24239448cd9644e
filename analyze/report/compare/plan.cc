#include "analyze/report/compare/plan.h"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "analyze/report/compare/compare_words.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "ground/text.h"

namespace tailcap::report {
namespace {

using model::gate::Comparison;
using model::gate::GatePlan;
using model::gate::Metric;
using model::gate::PlannedBudget;
using model::gate::PlannedGate;
using render::Column;
using render::Document;
using render::Tone;

std::string planned_time(double seconds) { return duration_text(Duration{std::llround(seconds * 1e9)}); }

std::string minutes_text(double seconds) { return std::to_string(std::llround(seconds / 60)) + " min"; }

// CPU time in percent of the base, as its gates are written.
std::string increase_text(const PlannedGate& g, double increase) {
  if (!(increase < model::gate::kNever)) return "–";
  if (g.metric.timed() && !g.metric.relative() && g.base > 0)
    return change_text(Metric{Metric::Kind::mean, 0}, increase / g.base);
  return change_text(g.metric, increase);
}

std::string noise_text(const PlannedGate& g) {
  std::string text = increase_text(g, g.metric.relative() ? std::expm1(g.noise) : g.noise);
  if (text.starts_with("+")) text.erase(0, 1);
  return text;
}

std::string detectable_text(const PlannedGate& g, const PlannedBudget& budget, double increase) {
  return budget.fresh == 0 ? "nothing" : increase_text(g, increase);
}

// "+12%": the threshold as it is written.
std::string proposed_text(const PlannedGate& g) {
  const std::size_t at = g.gate.rfind("> ");
  return at == g.gate.npos ? "–" : g.gate.substr(at + 2);
}

// Counts that every request has the same number of, by route.
std::vector<std::string> exact_lines(const GatePlan& plan) {
  std::map<std::string, std::vector<std::string>> names;
  for (const PlannedGate& g : plan.gates)
    if (g.exact) names[route_text(g.route)].emplace_back(name_of(g.metric));
  std::vector<std::string> out;
  for (const auto& [route, metrics] : names)
    out.push_back("Exact on any machine, of " + route + ": " + ground::joined(metrics) +
                  ". Any increase above the threshold is found once fresh runs have confirmed it.");
  return out;
}

std::string budget_text(const PlannedBudget& b) {
  return std::to_string(b.screening) + " runs a side screen, " +
         (b.fresh > 0
              ? "and up to " + std::to_string(b.fresh) + " fresh ones confirm"
              : "and there is no time for fresh ones: nothing can fail. A shorter load or fewer --runs leave it");
}

void add_planned_gates(Document& out, const GatePlan& plan) {
  render::Table table;
  table.columns = {{"gate", Column::Kind::name}, {"base"}, {"noise"}};
  for (const PlannedBudget& b : plan.budgets) table.columns.push_back({"found in " + minutes_text(b.seconds)});
  table.columns.push_back({"equal versions pass"});
  table.columns.push_back({"proposed", Column::Kind::word});
  bool others = false;
  for (const PlannedGate& g : plan.gates) {
    if (g.exact) continue;
    render::Row row;
    others = others || !g.by_default;
    row.cells.emplace_back(std::string(name_of(g.metric)) + " of " + route_text(g.route) + (g.by_default ? "" : " *"));
    row.cells.emplace_back(value_text(g.metric, g.base));
    row.cells.emplace_back(noise_text(g));
    for (std::size_t b = 0; b < plan.budgets.size(); ++b)
      row.cells.emplace_back(detectable_text(g, plan.budgets[b], g.detectable[b]));
    row.cells.emplace_back(percent_text(g.passes[1]));
    row.cells.emplace_back(proposed_text(g));
    table.rows.push_back(std::move(row));
  }
  if (table.rows.empty()) return;
  out.add(std::move(table));
  out.note(
      "Noise: standard deviation from run to run. Found: the least increase that the gate finds in 80 % of changes, by "
      "its "
      "own tests and error rates. Equal versions pass: in " +
      minutes_text(plan.budgets[1].seconds) +
      ", with the gate's own threshold. Proposed: that threshold, or else the least that 90 % of equal versions pass "
      "in " +
      minutes_text(plan.budgets[1].seconds) + "." + (others ? " * is no default gate." : ""));
}

}  // namespace

Document plan_document(const Comparison& c) {
  const GatePlan& plan = c.plan;
  Document out;
  out.heading(1, "tailcap gate plan");
  render::Facts facts;
  facts.boxed = true;
  bool some = false;
  for (const PlannedGate& g : plan.gates) some = some || g.gate.size() > 0;
  facts.verdict = {some ? Tone::plain : Tone::care, "plan",
                   some ? "what gates can decide on this machine" : "nothing can be decided with these runs"};
  for (const std::string& obstacle : c.obstacles) facts.lines.push_back({Tone::care, "not comparable", obstacle});
  for (const std::string& why : c.uneven) facts.lines.push_back({Tone::care, "exact counts only", why});
  facts.lines.push_back({Tone::plain, "measured",
                         std::to_string(c.base_runs + c.fresh_runs) + " runs of one version, each " +
                             planned_time(plan.run_seconds) +
                             (c.method == model::gate::Method::duet_paired ? ", in pairs" : "")});
  if (plan.least < 1 || plan.most > 1) {
    char factor[64];
    std::snprintf(factor, sizeof factor, "%.1f to %.1f times", plan.least, plan.most);
    facts.lines.push_back({Tone::plain, "accuracy",
                           std::string("this number of runs knows the noise to ") + factor +
                               " (90 % interval); what is found and proposed grows with it"});
  }
  for (const PlannedBudget& b : plan.budgets)
    facts.lines.push_back({b.fresh > 0 ? Tone::plain : Tone::care, minutes_text(b.seconds), budget_text(b)});
  out.add(std::move(facts));
  add_planned_gates(out, plan);
  out.list(exact_lines(plan));
  std::vector<std::string> not_judged;
  for (const std::string& what : plan.not_judged) not_judged.push_back("Not judged: " + printable(what));
  out.list(not_judged);
  std::vector<std::string> command = {"tailcap gate …"};
  for (const PlannedGate& g : plan.gates) {
    if (!g.by_default || g.gate.empty()) continue;
    command.back() += " \\";
    command.push_back("  --fail-on '" + printable(g.gate) + "'");
  }
  if (command.size() > 1) {
    out.heading(2, "The proposed gates");
    out.add(render::Code{std::move(command)});
  }
  return out;
}

}  // namespace tailcap::report
