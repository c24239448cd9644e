#include "analyze/model/policy/policy.h"

#include <cmath>

#include "analyze/model/policy/outcome.h"

namespace tailcap::model::policy {

std::string_view name_of(const Limit& limit) {
  switch (limit.of) {
    case Limit::Of::share:
      return "share";
    case Limit::Of::count:
      return "count";
    case Limit::Of::rate:
      return "rate";
    case Limit::Of::log_errors:
      return "log_errors";
    case Limit::Of::metric:
      break;
  }
  return gate::name_of(limit.metric);
}

std::string_view name_of(BreakerState state) {
  switch (state) {
    case BreakerState::closed:
      return "closed";
    case BreakerState::open:
      return "open";
    case BreakerState::half_open:
      break;
  }
  return "half_open";
}

std::string_view name_of(SamplingVariant::Kind kind) {
  switch (kind) {
    case SamplingVariant::Kind::policy:
      return "policy";
    case SamplingVariant::Kind::adaptive:
      return name_of(RateFormula::adaptive);
    case SamplingVariant::Kind::adaptive_clamped:
      return name_of(RateFormula::adaptive_clamped);
    case SamplingVariant::Kind::adapt:
      break;
  }
  return "adapt";
}

std::string_view name_of(PolicyAction::What what) {
  switch (what) {
    case PolicyAction::What::fired:
      return "fired";
    case PolicyAction::What::resolved:
      return "resolved";
    case PolicyAction::What::rate:
      return "rate";
    case PolicyAction::What::opened:
      return "opened";
    case PolicyAction::What::half_opened:
      return "half_opened";
    case PolicyAction::What::closed:
      break;
  }
  return "closed";
}

std::size_t least_for(const Limit& limit) {
  if (limit.of != Limit::Of::metric) return 1;
  const auto q = limit.metric.quantile();
  return q ? static_cast<std::size_t>(std::ceil(1 / (1 - *q) - 1e-9)) : 1;
}

}  // namespace tailcap::model::policy
