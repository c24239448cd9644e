#include "analyze/views/watch/trigger.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "analyze/model/columns/whole_row.h"
#include "analyze/report/policy/policy_words.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::watch {
namespace {

constexpr std::size_t kMostPath = 80;

std::string name_of(const model::Request& row, const model::TextPool& texts) {
  const std::string path = row.path != 0 ? report::shortened(report::printable(texts[row.path]), kMostPath) : "?";
  return (row.method != 0 ? report::printable(texts[row.method]) + " " : "") + path;
}

std::string outcome_of(const model::Request& row) {
  return (row.has_duration ? " took " + report::duration_text(row.duration) + "," : std::string()) +
         (row.status != 0        ? " status " + std::to_string(row.status)
          : row.grpc_status >= 0 ? " gRPC status " + std::to_string(row.grpc_status)
                                 : " " + std::string(model::name_of(row.outcome)));
}

// The values of a condition that does not only ask whether requests match: "p95 312 ms, errors 2.1 %".
std::string values_text(const model::policy::PolicyCondition& condition, const policy::ConditionJudgement& judgement) {
  std::string out;
  for (std::size_t i = 0; i < condition.limits.size(); ++i)
    out += (i == 0 ? "" : ", ") + std::string(model::policy::name_of(condition.limits[i])) + " " +
           report::policy_value_text(condition.limits[i], judgement.values[i].value);
  return out;
}

}  // namespace

Sight look(const model::RequestTable& table, const model::policy::PolicyCondition& condition, Time first, Time since,
           Time until, double weight) {
  const bool latest = condition.over.count() == 0;
  const Duration over = latest ? until - since : condition.over;
  policy::ConditionWindow window(condition, over);
  std::vector<std::pair<Time, std::size_t>> ended;
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const model::Request row = table.rows[i];
    if (!policy::counts(row) || !formats::known(row.start) || row.outcome == model::Outcome::in_flight) continue;
    const Time at = policy::ended(row);
    if (at > until - over && at <= until) ended.emplace_back(at, i);
  }
  std::stable_sort(ended.begin(), ended.end(), [](auto& a, auto& b) { return a.first < b.first; });
  Sight out;
  std::size_t example = table.rows.size();
  for (const auto& [at, i] : ended) {
    const model::Request row = model::whole_row(table, i);
    if (window.push(model::columns::ColumnFacts(table, row))) example = std::min(example, i);
  }
  const policy::ConditionJudgement judgement = window.judge(until, first, latest ? 1 : weight);
  out.ended = judgement.requests;
  out.matching = judgement.matching;
  out.holds = judgement.holds;
  out.known = weight > 0 && (latest || until - first >= over);
  if (!out.holds) return out;
  if (example < table.rows.size()) {
    const model::Request row = table.rows[example];
    out.what = name_of(row, table.texts) + outcome_of(row);
    if (out.matching > 1)
      out.what += ", and " + std::to_string(out.matching - 1) + " more of " + std::to_string(out.ended);
  }
  if (!latest)
    out.what = report::printable(condition.name) + ": " + values_text(condition, judgement) +
               (out.what.empty() ? "" : "; " + out.what);
  return out;
}

Sight look_unanswered(const model::RequestTable& table, Duration unanswered, Time until) {
  Sight out;
  Duration waited{};
  for (const model::Request& row : table.rows) {
    if (!policy::counts(row) || !formats::known(row.start) || row.outcome != model::Outcome::in_flight) continue;
    const Duration so_far = until - row.start;
    if (so_far < std::max(unanswered, waited)) continue;
    waited = so_far;
    out.holds = true;
    out.what = name_of(row, table.texts) + " had no answer after " + report::duration_text(so_far);
  }
  return out;
}

bool WatchTrigger::fires(bool holds, Time now) {
  if (!holds || (formats::known(fired_) && now - fired_ < rest_)) return false;
  fired_ = now;
  return true;
}

}  // namespace tailcap::watch
