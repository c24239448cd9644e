#include "analyze/views/policy/condition.h"

#include <algorithm>

#include "analyze/compare/gates.h"
#include "analyze/tail/rows/quantiles.h"
#include "analyze/tail/rows/standing.h"

namespace tailcap::policy {
namespace {

using model::gate::Metric;

// A share like 1 % of 100 is reached by one, whatever its last digit is.
constexpr double kRounding = 1e-12;

double seconds_of(Duration d) { return static_cast<double>(d.count()) / 1e9; }

LimitValue share_of(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? LimitValue{} : LimitValue{true, static_cast<double>(part) / static_cast<double>(whole)};
}

LimitValue quantile(const Limit& limit, double q, const std::deque<ConditionObservation>& held) {
  std::vector<std::int64_t> durations;
  for (const ConditionObservation& o : held)
    if (o.matching && o.duration >= 0) durations.push_back(o.duration);
  if (durations.size() < least_for(limit)) return {};
  const auto at = durations.begin() + static_cast<std::ptrdiff_t>(tail::rank_of(q, durations.size()) - 1);
  std::nth_element(durations.begin(), at, durations.end());
  return {true, static_cast<double>(*at)};
}

LimitValue label(const Limit& limit, std::size_t which, const std::deque<ConditionObservation>& held) {
  double under = 0, all = 0, n = 0;
  for (const ConditionObservation& o : held) {
    if (!o.matching || !o.labelled || o.duration < 0) continue;
    under += static_cast<double>(o.labels[which]);
    all += static_cast<double>(o.duration);
    ++n;
  }
  const double by = limit.of_time ? all : n;
  return by == 0 ? LimitValue{} : LimitValue{true, under / by};
}

LimitValue mean(const std::deque<ConditionObservation>& held) {
  double sum = 0, n = 0;
  for (const ConditionObservation& o : held)
    if (o.matching && o.duration >= 0) sum += static_cast<double>(o.duration), ++n;
  return n == 0 ? LimitValue{} : LimitValue{true, sum / n};
}

}  // namespace

bool counts(const model::Request& row) { return row.role == model::Role::server || row.peer.connection == 0; }

Time ended(const model::Request& row) { return row.has_duration ? row.start + row.duration : row.start; }

double weight_of(const model::Sampling& sampling) {
  if (!sampling.some()) return 1;
  return sampling.scales() ? static_cast<double>(sampling.of) : 0;
}

bool RouteMatch::operator()(const model::Request& row, const model::TextPool& texts) {
  if (pattern_.empty() || pattern_ == "*") return true;
  const auto [at, fresh] = known_.try_emplace({row.method, row.route}, false);
  if (fresh) {
    const auto text = [&](model::TextId id) { return std::string(id == 0 ? "" : texts[id]); };
    model::gate::RouteName name;
    name.method = text(row.method);
    name.route = text(row.route);
    at->second = row.route != 0 && compare::matches(pattern_, name);
  }
  return at->second;
}

ConditionObservation observe(const model::Request& row) {
  ConditionObservation out;
  out.at = ended(row);
  const tail::DurationStanding standing = tail::standing_of(row);
  out.judged = standing == tail::DurationStanding::clean || standing == tail::DurationStanding::failed;
  out.failed =
      standing == tail::DurationStanding::failed || (out.judged && row.outcome == model::Outcome::server_error);
  out.client_error = out.judged && !out.failed && row.outcome == model::Outcome::client_error;
  if (standing == tail::DurationStanding::clean) out.duration = row.duration.count();
  if (standing == tail::DurationStanding::failed && row.at_least >= 0)
    out.duration = row.at_least;  // and perhaps longer
  return out;
}

ConditionWindow::ConditionWindow(const model::policy::PolicyCondition& condition, Duration over)
    : condition_(condition), over_(over.count() != 0 ? over : condition.over), route_(condition.route) {
  for (const std::string& expression : condition_.where) filters_.push_back(query::policy_filter(expression));
}

bool ConditionWindow::needs_account() const {
  return std::any_of(filters_.begin(), filters_.end(), [](const auto& f) { return f.needs_account(); }) ||
         std::any_of(condition_.limits.begin(), condition_.limits.end(), [](const Limit& l) { return l.is_label(); });
}

bool ConditionWindow::matches(const model::columns::ColumnFacts& facts) {
  return route_(facts.row, facts.table.texts) &&
         std::all_of(filters_.begin(), filters_.end(), [&](const auto& f) { return f.matches(facts); });
}

bool ConditionWindow::push(const model::columns::ColumnFacts& facts) {
  const model::Request& row = facts.row;
  if (!route_(row, facts.table.texts)) return false;
  ConditionObservation o = observe(row);
  o.matching = std::all_of(filters_.begin(), filters_.end(), [&](const auto& f) { return f.matches(facts); });
  if (row.account) {
    const auto parts = row.account->parts(row.id);
    o.labelled = !parts.empty();
    std::size_t which = 0;
    for (const Limit& limit : condition_.limits) {
      if (!limit.is_label()) continue;
      std::int64_t labelled = 0;
      for (const model::AccountPart& part : parts) {
        labelled += part.time;
        if (static_cast<std::uint8_t>(part.label) == limit.metric.which) o.labels[which] += part.time;
      }
      if (limit.metric.which == model::gate::kNoAccount)
        o.labels[which] = std::max<std::int64_t>(0, o.duration - labelled);
      ++which;
    }
  }
  held_.push_back(o);
  return o.matching;
}

ConditionJudgement ConditionWindow::judge(Time now, Time first, double weight) {
  const bool whole = now - first >= over_;
  while (!held_.empty() && held_.front().at <= now - over_) held_.pop_front();
  while (!lines_.empty() && lines_.front() <= now - over_) lines_.pop_front();
  ConditionJudgement out;
  out.requests = held_.size();
  out.matching = static_cast<std::uint64_t>(
      std::count_if(held_.begin(), held_.end(), [](const ConditionObservation& o) { return o.matching; }));
  out.holds = !condition_.limits.empty();
  std::size_t which = 0;
  for (const Limit& limit : condition_.limits) {
    LimitValue value = measure(limit, which, held_, seconds_of(over_), weight);
    which += limit.is_label();
    if (limit.of_lines()) value = {lines_known_, static_cast<double>(lines_.size())};
    // There may have been more before.
    if (!limit.least && !whole && (limit.of == Limit::Of::count || limit.of == Limit::Of::rate || limit.of_lines()))
      value = {};
    out.holds = out.holds && keeps(limit, value);
    out.values.push_back(value);
  }
  return out;
}

LimitValue measure(const Limit& limit, std::size_t which, const std::deque<ConditionObservation>& held, double seconds,
                   double weight) {
  std::uint64_t matching = 0, judged = 0, failed = 0, client = 0;
  for (const ConditionObservation& o : held) {
    matching += o.matching;
    judged += o.matching && o.judged;
    failed += o.matching && o.failed;
    client += o.matching && o.client_error;
  }
  switch (limit.of) {
    case Limit::Of::share:
      return share_of(matching, held.size());
    case Limit::Of::count:
      return {weight > 0, weight * static_cast<double>(matching)};
    case Limit::Of::rate:
      return {weight > 0, weight * static_cast<double>(matching) / seconds};
    case Limit::Of::log_errors:
      return {};  // ConditionWindow counts them
    case Limit::Of::metric:
      break;
  }
  if (const auto q = limit.metric.quantile()) return quantile(limit, *q, held);
  if (limit.metric.kind == Metric::Kind::errors) return share_of(failed, judged);
  if (limit.metric.kind == Metric::Kind::client_errors) return share_of(client, judged);
  return limit.is_label() ? label(limit, which, held) : mean(held);
}

bool keeps(const Limit& limit, const LimitValue& value) {
  if (!value.known) return false;
  return limit.least ? value.value >= limit.value * (1 - kRounding) : value.value <= limit.value * (1 + kRounding);
}

bool Hold::held(bool holds, Time now) {
  if (!holds) {
    since_ = formats::kNoTime;
    return false;
  }
  if (!formats::known(since_)) since_ = now;
  return now - since_ >= hold_;
}

}  // namespace tailcap::policy
