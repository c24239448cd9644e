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

}  // namespace tailcap::report
