#include "analyze/report/policy/policy_words.h"

#include <cmath>

#include "analyze/report/compare/compare_words.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"

namespace tailcap::report {

using model::gate::Metric;
using model::policy::Limit;

std::string policy_value_text(const Limit& limit, double value) {
  switch (limit.of) {
    case Limit::Of::count:
    case Limit::Of::log_errors:
      return count_text(static_cast<std::uint64_t>(std::llround(value)));
    case Limit::Of::rate:
      return rate_text(value);
    case Limit::Of::share:
      return value_text({Metric::Kind::errors, 0}, value);
    case Limit::Of::metric:
      break;
  }
  return value_text(limit.of_time ? Metric{Metric::Kind::errors, 0} : limit.metric, value);
}

std::string limit_text(const Limit& limit) {
  return std::string(name_of(limit)) + (limit.least ? " ≥ " : " ≤ ") + printable(limit.text);
}

std::string limits_text(const std::vector<Limit>& limits) {
  std::string out;
  for (const Limit& limit : limits) out += (out.empty() ? "" : " and ") + limit_text(limit);
  return out;
}

std::string figures_text(const model::policy::WindowFigures& f) {
  using model::policy::formula_rate;
  constexpr auto kAny = model::policy::RateFormula::adaptive;
  const std::string of = count_text(f.requests, "request", "requests");
  if (!f.errors) return "errors are not known: " + of;
  const std::string errors = "errors " + share_text(*f.errors);
  // Alone they decide where nothing else is known.
  if (formula_rate(kAny, {f.requests, {}, f.errors, {}})) return errors + " > 5 %";
  if (!f.per_second) return "the load is not known: a part of the connections is recorded";
  if (!f.p95) return "p95 is not known: " + of;
  return rate_text(*f.per_second) + ", " + errors + ", p95 " + duration_text(Duration{std::llround(*f.p95)});
}

}  // namespace tailcap::report
