#include "analyze/views/policy/estimates.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>

#include "analyze/tail/rows/quantiles.h"
#include "analyze/tail/slow/cohorts.h"

namespace tailcap::policy {
namespace {

using model::policy::kPolicyQuantiles;
using model::policy::Missed;
using model::policy::PolicyEstimate;
using model::policy::PolicyFigures;

struct Weighed {
  std::int64_t duration;
  double weight;
};

// A percentile that fewer requests than this do not reach is not known.
bool reached(double q, std::size_t n) { return static_cast<double>(n) * (1 - q) >= 1 - 1e-9; }

// The smallest duration with at least a share q of all weight at or below it.
std::optional<double> weighted_quantile(double q, const std::vector<Weighed>& sorted) {
  if (!reached(q, sorted.size())) return std::nullopt;
  double all = 0, sum = 0;
  for (const Weighed& w : sorted) all += w.weight;
  for (const Weighed& w : sorted)
    if ((sum += w.weight) >= q * all * (1 - 1e-12)) return static_cast<double>(w.duration);
  return static_cast<double>(sorted.back().duration);
}

void fill(PolicyFigures& out, std::vector<Weighed>& durations, double failed) {
  if (out.count > 0) out.errors = failed / out.count;
  std::sort(durations.begin(), durations.end(), [](auto& a, auto& b) { return a.duration < b.duration; });
  for (std::size_t i = 0; i < kPolicyQuantiles.size(); ++i)
    out.quantiles[i] = weighted_quantile(kPolicyQuantiles[i], durations);
}

PolicyEstimate estimate_of(const std::vector<const JudgedRequest*>& requests) {
  PolicyEstimate out;
  std::vector<Weighed> all, kept;
  double failed = 0, failed_kept = 0;
  for (const JudgedRequest* r : requests) {
    const double chance = r->decision.chance();
    ++out.requests;
    out.truth.count += 1;
    failed += r->failed;
    out.slow += r->slow;
    out.failed += r->failed;
    out.never += chance <= 0;
    if (r->duration >= 0) all.push_back({r->duration, 1});
    if (!r->decision.kept) continue;
    ++out.kept;
    out.by_rule += r->decision.by_rule;
    out.slow_kept += r->slow;
    out.failed_kept += r->failed;
    out.estimate.count += 1 / chance;
    if (r->failed) failed_kept += 1 / chance;
    if (r->duration >= 0) kept.push_back({r->duration, 1 / chance});
  }
  fill(out.truth, all, failed);
  fill(out.estimate, kept, failed_kept);
  return out;
}

// Slow as in the report of a route without a gap.
void mark_slow(const std::vector<JudgedRequest*>& route) {
  std::vector<JudgedRequest*> by_duration;
  for (JudgedRequest* r : route)
    if (r->duration >= 0) by_duration.push_back(r);
  std::stable_sort(by_duration.begin(), by_duration.end(), [](auto* a, auto* b) { return a->duration > b->duration; });
  const std::size_t slow = tail::slow::cohort_places(by_duration.size()).slow;
  for (std::size_t i = 0; i < slow; ++i) by_duration[i]->slow = true;
}

Missed missed_of(const JudgedRequest& r, const model::RequestTable& table) {
  const model::Request row = table.rows[r.decision.row];
  Missed out;
  out.id = row.id;
  out.start = row.start;
  out.duration = r.duration;
  out.status = row.status;
  out.slow = r.slow;
  out.failed = r.failed;
  out.rate = r.decision.rate;
  out.what = (row.method != 0 ? std::string(table.texts[row.method]) + " " : "") +
             (row.path != 0 ? std::string(table.texts[row.path]) : "?");
  return out;
}

using RouteKey = std::tuple<model::Role, model::TextId, model::TextId>;

std::map<RouteKey, std::vector<JudgedRequest*>> by_route(std::vector<JudgedRequest>& requests,
                                                         const model::RequestTable& table) {
  std::map<RouteKey, std::vector<JudgedRequest*>> out;
  for (JudgedRequest& r : requests) {
    const model::Request row = table.rows[r.decision.row];
    out[{row.role, row.method, row.route}].push_back(&r);
  }
  return out;
}

}  // namespace

std::vector<JudgedRequest> judged(const std::vector<Decision>& decisions, const model::RequestTable& table) {
  std::vector<JudgedRequest> out;
  for (std::size_t i = 0; i < decisions.size(); ++i) {
    const ConditionObservation o = observe(table.rows[decisions[i].row]);
    if (o.judged) out.push_back({decisions[i], i, o.duration, o.failed, false});
  }
  for (auto& [key, requests] : by_route(out, table)) mark_slow(requests);
  return out;
}

PolicyEstimate estimate_of_all(const std::vector<JudgedRequest>& requests) {
  std::vector<const JudgedRequest*> all;
  for (const JudgedRequest& r : requests) all.push_back(&r);
  return estimate_of(all);
}

model::policy::SamplingOutcome estimate(std::vector<JudgedRequest>& all, const model::RequestTable& table,
                                        std::size_t missed) {
  model::policy::SamplingOutcome out;
  for (const auto& [key, requests] : by_route(all, table)) {
    PolicyEstimate& one = out.routes.emplace_back(estimate_of({requests.begin(), requests.end()}));
    const auto text = [&](model::TextId id) { return std::string(id == 0 ? "" : table.texts[id]); };
    one.route.emplace();
    one.route->role = std::get<0>(key);
    one.route->method = text(std::get<1>(key));
    one.route->route = text(std::get<2>(key));
  }
  std::sort(out.routes.begin(), out.routes.end(), [](const PolicyEstimate& a, const PolicyEstimate& b) {
    if (a.requests != b.requests) return a.requests > b.requests;
    return std::tie(a.route->route, a.route->method, a.route->role) <
           std::tie(b.route->route, b.route->method, b.route->role);
  });
  std::vector<const JudgedRequest*> not_kept;
  for (const JudgedRequest& r : all)
    if ((r.slow || r.failed) && !r.decision.kept) not_kept.push_back(&r);
  out.all = estimate_of_all(all);
  out.missed_total = not_kept.size();
  std::stable_sort(not_kept.begin(), not_kept.end(), [](auto* a, auto* b) { return a->duration > b->duration; });
  if (not_kept.size() > missed) not_kept.resize(missed);
  for (const JudgedRequest* r : not_kept) out.missed.push_back(missed_of(*r, table));
  return out;
}

}  // namespace tailcap::policy
