#include "analyze/report/words/sampling.h"

#include <algorithm>
#include <cmath>

#include "analyze/report/words/number.h"

namespace tailcap::report {
namespace {

std::string rounded(double value) {
  return count_text(static_cast<std::uint64_t>(std::llround(std::clamp(value, 0.0, 1e18))));
}

}  // namespace

std::string approximate_text(const model::Estimate& estimate) { return "≈ " + rounded(estimate.value); }

std::string interval_text(const model::Estimate& estimate) {
  return estimate.interval ? rounded(std::floor(estimate.low)) + "–" + rounded(std::ceil(estimate.high)) : "";
}

std::string whole_text(const model::Estimate& estimate) {
  return approximate_text(estimate) + " in all (" +
         (estimate.interval ? "95 % interval " + interval_text(estimate) : "no interval: " + estimate.reason) + ")";
}

std::string sampling_text(const model::Sampling& sampling) {
  if (sampling.mixed) return "a part of all connections is recorded, in shares that differ or are not known";
  std::string text = "1 of " + count_text(sampling.of) + " connections is recorded";
  if (sampling.seed) text += " (seed " + std::to_string(*sampling.seed) + ")";
  return text;
}

std::string sampling_line(const model::Quality& quality) {
  const model::Sampling& s = quality.sampling;
  std::string text = sampling_text(s);
  if (s.ends_known)
    text += ", " + count_text(s.ends_recorded) + " ends of TCP connections, and " + count_text(s.ends_left_out) +
            " are left out";
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
