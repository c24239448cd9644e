#include "analyze/report/words/sampling.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

std::string rounded_text(double value) {
  return count_text(static_cast<std::uint64_t>(std::llround(std::clamp(value, 0.0, 1e18))));
}

}  // namespace

std::string approximate_text(const model::Estimate& estimate) { return "≈ " + rounded_text(estimate.value); }

std::string interval_text(const model::Estimate& estimate) {
  return estimate.interval ? rounded_text(std::floor(estimate.low)) + "–" + rounded_text(std::ceil(estimate.high)) : "";
}

std::string whole_text(const model::Estimate& estimate) {
  return approximate_text(estimate) + " in all (" +
         (estimate.interval ? "95 % interval " + interval_text(estimate) : "no interval: " + estimate.reason) + ")";
}

std::string sampling_text(const model::Sampling& sampling) {
  if (sampling.none) return "no connection is recorded, so that recording keeps its budget";
  if (sampling.mixed) return "a part of all connections is recorded, in shares that differ or are not known";
  std::string text = "1 of " + count_text(sampling.of) + " connections is recorded";
  if (sampling.seed) text += " (seed " + std::to_string(*sampling.seed) + ")";
  return text;
}

std::string budget_line(const model::Budget& budget) {
  constexpr double kAll = 1e6;
  const auto share = [](std::uint64_t ppm) { return share_text(static_cast<double>(ppm), kAll); };
  std::string text = "recording may cost " + share(*budget.ppm) + " of the CPU time of all CPUs";
  if (budget.steps.empty()) return text;
  // Most connections first; none last.
  const auto one_in = [](const model::BudgetStep& step) {
    return step.looks ? std::uint64_t{step.of} : std::numeric_limits<std::uint64_t>::max();
  };
  const auto [most, least] = std::minmax_element(budget.steps.begin(), budget.steps.end(),
                                                 [&](const auto& a, const auto& b) { return one_in(a) < one_in(b); });
  const auto of = [](const model::BudgetStep& step) {
    if (!step.looks) return std::string("no connection");
    return step.of == 1 ? std::string("all connections") : "1 of " + count_text(step.of) + " connections";
  };
  if (budget.steps.size() == 1 && !budget.steps.front().looks)
    text += "; no connection was recorded in this time";
  else if (budget.steps.size() == 1)
    text += "; " + of(*most) + " recorded all the time";
  else
    text += "; " + count_text(budget.steps.size() - 1, "step", "steps") + ", at most " + of(*most) +
            " recorded, at least " + of(*least);
  const auto is_off = [](const auto& step) { return step.stacks == false; };
  if (std::any_of(budget.steps.begin(), budget.steps.end(), is_off)) text += "; stacks and samples were off for a time";
  const auto blind =
      std::count_if(budget.steps.begin(), budget.steps.end(), [](const auto& s) { return s.waits == false; });
  if (blind == static_cast<std::ptrdiff_t>(budget.steps.size()))
    text += "; off-CPU intervals were not recorded: what requests waited for is not known";
  else if (blind != 0)
    text += "; off-CPU intervals were not recorded for a time: what requests waited for then is not known";
  const model::BudgetStep& last = budget.steps.back();
  if (!last.measured)
    text += "; at the end its cost was not measured any more";
  else if (last.above)
    text += "; at the end it cost more, " + share(last.cost_ppm) + ", with nothing left to leave out";
  return text;
}

std::string sampling_line(const model::Quality& quality) {
  const model::Sampling& s = quality.sampling;
  std::string text = sampling_text(s);
  if (s.ends_known)
    text += ", " + count_text(s.ends_recorded) + " ends of TCP connections, and " + count_text(s.ends_left_out) +
            " are left out";
  if (s.none) return text;
  if (quality.all_requests)
    text += "; of " + count_text(quality.exchanges, "request", "requests") + ", " + whole_text(*quality.all_requests);
  text += s.scales() ? ". Counts and rates with ≈ are estimates of the whole, other counts are of what is recorded"
                     : ". Counts and rates are of what is recorded: how much there was in all is not known";
  return text +
         ". Requests on other connections are not recorded: a request may have made calls that are not seen here, and "
         "what an "
         "event loop did for those others may be counted as time of a request that is";
}

std::string route_rate_text(const model::RouteStudy& route) {
  if (!route.all || route.count == 0) return rate_text(route.per_second);
  return "≈ " + rate_text(route.per_second * route.all->value / static_cast<double>(route.count)) + " in all";
}

}  // namespace tailcap::report
