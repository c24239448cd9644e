// Gates held against estimates: pass, fail, or what is missing to decide.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "analyze/model/gate/comparison.h"

namespace tailcap::compare {

inline constexpr double kDiscoveries = 0.05;  // false ones, of what is advisory
// A gate whose detectable change is larger than its threshold times this decides nothing.
inline constexpr double kMostDetectable = 3;

// "POST /pay", "/pay", "/api/*"; empty and "*": every route.
bool matches(const std::string& pattern, const model::gate::RouteName& name);

// One result for each gate of options.gates and route that it means. Their estimates and verdicts are not set.
std::vector<model::gate::GateResult> expand(const model::gate::Comparison& comparison);

// A run needs this number of requests for a metric.
std::size_t least_requests(const model::gate::Metric& metric);
std::string number(double x);  // two digits that count

// What a service did counts; what it asked of others is part of that.
model::Role load_role(const model::gate::Comparison& comparison);

// What the runs of one route and metric fall short of, but for the detectable increase. Sentences' parts.
struct RunFacts {
  std::size_t base_runs = 0, fresh_runs = 0;
  std::size_t least_requests = 0;  // of any run, with a duration
  double least_seconds = 0;
  double decorrelation = 0;                      // seconds
  double base_doubtful = 0, fresh_doubtful = 0;  // shares
  double most_in_flight = 0;
};
std::vector<std::string> shortfalls(const model::gate::Metric& metric, const model::gate::GateEstimate& estimate,
                                    const RunFacts& facts, const model::gate::Comparison& comparison);

// Runs of the same length never satisfy the metric, however many there are.
bool needs_longer_runs(const model::gate::Metric& metric, const model::gate::GateEstimate& estimate,
                       const RunFacts& facts, const model::gate::Comparison& comparison);

// In the unit of the estimate.
double threshold_of(const model::gate::Gate& gate, const model::gate::GateEstimate& estimate);

// Sets threshold, p_holm, verdict and missing of all; those that have something missing already are undecided.
void judge(std::vector<model::gate::GateResult>& gates, const model::gate::Comparison& comparison);

model::gate::GateVerdict verdict_of(std::span<const model::gate::GateResult> gates);

}  // namespace tailcap::compare
