#include "analyze/views/policy/route_rates.h"

#include <algorithm>

namespace tailcap::policy {

using model::policy::PolicyAction;
using model::policy::PolicySampling;
using model::policy::RateRegistry;
using model::policy::WindowFigures;

RouteNumbers::RouteNumbers(const model::RequestTable& table, const std::vector<std::uint32_t>& rows) {
  std::map<std::string, std::pair<std::size_t, std::uint32_t>> by_name;  // the number, a row
  const auto name_of = [&](const model::Request& row) {
    if (row.route == 0) return std::string("(unknown route)");
    return (row.method != 0 ? std::string(table.texts[row.method]) + " " : "") + std::string(table.texts[row.route]);
  };
  for (const std::uint32_t i : rows) {
    const model::Request row = table.rows[i];
    if (numbers_.try_emplace({row.method, row.route}, 0).second) by_name.try_emplace(name_of(row), 0, i);
  }
  for (auto& [name, place] : by_name) {
    place.first = names_.size();
    names_.push_back(name);
    examples_.push_back(table.rows[place.second]);
  }
  for (auto& [key, number] : numbers_) {
    model::Request row;
    std::tie(row.method, row.route) = key;
    number = by_name.at(name_of(row)).first;
  }
}

RouteRates::RouteRates(const PolicySampling& sampling, const RouteNumbers& routes, const model::TextPool& texts,
                       Time begin)
    : sampling_(sampling), numbers_(routes) {
  std::map<std::string_view, double> listed;
  for (const auto& one : sampling_.routes) listed.emplace(one.route, one.rate);
  for (std::size_t i = 0; i < routes.size(); ++i) {
    Route& route = routes_.emplace_back();
    for (const auto& adaptation : sampling.adapt)
      route.matches.push_back(RouteMatch(adaptation.route)(routes.example(i), texts));
    if (const auto at = listed.find(routes.name(i)); at != listed.end()) route.listed = at->second;
    route.rate = route.listed.value_or(sampling.rate);
    route.decided = begin;
  }
}

std::size_t RouteRates::entry_for(const Route& route, const std::vector<bool>& firing) const {
  for (std::size_t a = 0; a < route.matches.size(); ++a)
    if (route.matches[a] && firing[sampling_.adapt[a].when]) return a;
  return kNone;
}

void RouteRates::decide(Time now, const std::vector<bool>& firing, const std::vector<WindowFigures>& figures,
                        std::vector<PolicyAction>* changes) {
  std::vector<PolicyAction> made;
  bool alike = routes_.size() > 1;
  for (std::size_t i = 0; i < routes_.size(); ++i) {
    Route& route = routes_[i];
    const bool computed = sampling_.formula && !figures.empty();
    if (computed) {
      route.figures = figures[i];
      route.computed = numbers_.known(i) ? formula_rate(*sampling_.formula, figures[i]) : std::nullopt;
    }
    const std::size_t before = route.entry;
    route.entry = entry_for(route, firing);
    const double from = route.rate;
    route.rate = route.entry != kNone ? sampling_.adapt[route.entry].rate
                 : route.computed     ? *route.computed
                                      : route.listed.value_or(sampling_.rate);
    if (route.rate != from || (computed && route.entry == kNone)) route.decided = now;
    if (route.rate == from || !changes) {
      alike = false;
      continue;
    }
    PolicyAction& action = made.emplace_back();
    action.at = now;
    action.what = PolicyAction::What::rate;
    action.route = numbers_.name(i);
    action.from = from;
    action.to = route.rate;
    action.fires = route.entry != kNone;
    if (action.fires)
      action.condition = sampling_.adapt[route.entry].when;
    else if (before != kNone)
      action.condition = sampling_.adapt[before].when;
    if (!action.fires) action.figures = route.figures;
    alike = alike && !action.figures && action.from == made[0].from && action.to == made[0].to &&
            action.condition == made[0].condition && action.fires == made[0].fires;
  }
  if (made.empty()) return;
  if (alike) {
    made.resize(1);
    made[0].route.clear();
  }
  changes->insert(changes->end(), made.begin(), made.end());
}

RateRegistry RouteRates::registry(const std::vector<bool>& firing) const {
  RateRegistry out;
  out.rate = sampling_.rate;
  for (const auto& adaptation : sampling_.adapt)
    if (firing[adaptation.when] && (adaptation.route.empty() || adaptation.route == "*")) {
      out.rate = adaptation.rate;
      break;
    }
  for (std::size_t i = 0; i < routes_.size(); ++i)
    if (numbers_.known(i)) out.routes.push_back({numbers_.name(i), routes_[i].rate, routes_[i].decided});
  return out;
}

}  // namespace tailcap::policy
