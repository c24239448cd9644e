#include "analyze/views/policy/actions.h"

#include <algorithm>
#include <tuple>

namespace tailcap::policy {

using model::policy::BreakerState;
using model::policy::PolicyAction;
using model::policy::PolicyOutcome;

namespace {

using What = PolicyAction::What;

What what_of(BreakerState state) {
  switch (state) {
    case BreakerState::open:
      return What::opened;
    case BreakerState::half_open:
      return What::half_opened;
    case BreakerState::closed:
      break;
  }
  return What::closed;
}

// Conditions decide about rates, and are before them; breakers have conditions of their own.
int kind_of(What what) { return what == What::fired || what == What::resolved ? 0 : what == What::rate ? 1 : 2; }

}  // namespace

std::vector<PolicyAction> actions_of(const PolicyOutcome& outcome, const std::vector<PolicyAction>& rates) {
  std::vector<PolicyAction> out = rates;
  for (std::size_t i = 0; i < outcome.firings.size(); ++i) {
    const auto& firing = outcome.firings[i];
    PolicyAction action;
    action.condition = firing.condition;
    action.firing = i;
    action.at = firing.from;
    out.push_back(action);
    if (!formats::known(firing.to)) continue;
    action.at = firing.to;
    action.what = What::resolved;
    out.push_back(action);
  }
  for (std::size_t b = 0; b < outcome.breakers.size(); ++b)
    for (const auto& change : outcome.breakers[b].changes) {
      PolicyAction& action = out.emplace_back();
      action.at = change.at;
      action.what = what_of(change.to);
      action.breaker = b;
      action.condition = change.condition;
    }
  // Rates at one time are in their order already.
  std::ranges::stable_sort(out, {}, [](const PolicyAction& a) {
    const int kind = kind_of(a.what);
    return std::tuple(a.at, kind, kind == 0 ? a.condition : kind == 2 ? a.breaker : std::size_t{0});
  });
  if (out.size() > model::policy::kMostActions) out.resize(model::policy::kMostActions);
  return out;
}

}  // namespace tailcap::policy
