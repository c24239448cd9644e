#include "analyze/report/policy/policy_actions.h"

#include <algorithm>
#include <cstdio>

#include "analyze/report/policy/policy_words.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

using model::policy::Limit;
using model::policy::PolicyAction;
using model::policy::PolicyOutcome;
using What = PolicyAction::What;

// "p95 20.8 ms (p95 ≥ 20ms)".
std::string measured_text(const std::vector<Limit>& limits, const std::vector<std::optional<double>>& values) {
  std::string out;
  for (std::size_t i = 0; i < limits.size() && i < values.size(); ++i)
    out += (i == 0 ? "" : ", ") + std::string(name_of(limits[i])) + " " +
           (values[i] ? policy_value_text(limits[i], *values[i]) : std::string("not known")) + " (" +
           limit_text(limits[i]) + ")";
  return out;
}

std::string cause_of_rate(const PolicyOutcome& o, const PolicyAction& a) {
  std::string out;
  if (a.condition != SIZE_MAX)
    out = printable(o.policy.conditions[a.condition].name) + (a.fires ? " fires" : " has resolved");
  if (a.figures) out += (out.empty() ? "" : "; ") + figures_text(*a.figures);
  return out;
}

// With more digits where the usual ones do not differ.
std::string rates_text(double from, double to) {
  const std::string before = share_text(from), after = share_text(to);
  if (before != after) return before + " → " + after;
  char text[80];
  std::snprintf(text, sizeof text, "%.6g %% → %.6g %%", 100 * from, 100 * to);
  return text;
}

std::string action_text(const PolicyAction& a) {
  switch (a.what) {
    case What::fired:
      return "fires";
    case What::resolved:
      return "resolves";
    case What::rate:
      return rates_text(a.from, a.to);
    case What::opened:
      return "opens";
    case What::half_opened:
      return "is half open";
    case What::closed:
      break;
  }
  return "closes";
}

std::string cause_of(const PolicyOutcome& o, const PolicyAction& a) {
  const auto condition = [&]() -> const auto& { return o.policy.conditions[a.condition]; };
  const auto breaker = [&]() -> const auto& { return o.policy.breakers[a.breaker]; };
  switch (a.what) {
    case What::fired:
      return measured_text(condition().limits, o.firings[a.firing].values);
    case What::resolved:
      return measured_text(condition().limits, o.firings[a.firing].values_after);
    case What::rate:
      return cause_of_rate(o, a);
    case What::opened:
      return a.condition != SIZE_MAX ? printable(condition().name) + " fires, of the requests that it let pass"
                                     : "the requests that it let pass did not keep " + limits_text(breaker().resolve);
    case What::half_opened:
      return "it has been open for " + duration_text(breaker().open_for);
    case What::closed:
      break;
  }
  return "the requests that it let pass kept " + limits_text(breaker().resolve);
}

std::string whose(const PolicyOutcome& o, const PolicyAction& a) {
  if (a.what == What::rate) return a.route.empty() ? "all routes" : printable(a.route);
  return printable(a.breaker != SIZE_MAX ? o.policy.breakers[a.breaker].name : o.policy.conditions[a.condition].name);
}

}  // namespace

void add_policy_actions(render::Document& out, const PolicyOutcome& o, std::size_t most) {
  out.heading(2, "What would it have done, in the order of time?");
  if (o.actions.empty()) {
    out.paragraph("Nothing: no condition fired, no rate changed, and no breaker opened.");
    return;
  }
  render::Table table;
  table.columns = {{"at"},
                   {"what", render::Column::Kind::name},
                   {"action", render::Column::Kind::word},
                   {"why", render::Column::Kind::name}};
  const std::size_t shown = std::min(most, o.actions.size());
  for (std::size_t i = 0; i < shown; ++i) {
    const PolicyAction& a = o.actions[i];
    table.rows.push_back({.cells = {offset_text(a.at, o.first), whose(o, a), action_text(a), cause_of(o, a)}});
  }
  if (o.actions_total > shown)
    table.rows.back().below.emplace_back(render::Tone::plain, "and " + count_text(o.actions_total - shown) + " more");
  out.add(std::move(table));
}

}  // namespace tailcap::report
