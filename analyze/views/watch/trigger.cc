#include "analyze/views/watch/trigger.h"

#include <algorithm>

#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"

namespace tailcap::watch {
namespace {

constexpr std::size_t kMostPath = 80;

bool counts(const model::Request& row) { return row.role == model::Role::server || row.peer.connection == 0; }

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

}  // namespace

Sight look(const model::RequestTable& table, const Condition& condition, Time since, Time until) {
  Sight out;
  std::string longest;
  Duration waited{};
  for (const model::Request& row : table.rows) {
    if (!counts(row) || !formats::known(row.start)) continue;
    if (row.outcome == model::Outcome::in_flight) {
      const Duration so_far = until - row.start;
      if (condition.unanswered.count() == 0 || so_far < std::max(condition.unanswered, waited)) continue;
      waited = so_far;
      longest = name_of(row, table.texts) + " had no answer after " + report::duration_text(so_far);
      continue;
    }
    // Where an end is not known, the beginning stands for it.
    const Time ended = row.has_duration ? row.start + row.duration : row.start;
    if (ended <= since || ended > until) continue;
    ++out.ended;
    if (condition.filters.empty() || !std::all_of(condition.filters.begin(), condition.filters.end(),
                                                  [&](const auto& f) { return f.matches(row, table.texts); }))
      continue;
    if (out.matching++ == 0) out.what = name_of(row, table.texts) + outcome_of(row);
  }
  const bool many = out.matching >= std::max<std::size_t>(condition.least, 1) &&
                    static_cast<double>(out.matching) >= condition.share * static_cast<double>(out.ended);
  out.holds = many || !longest.empty();
  if (!many)
    out.what = longest;
  else if (out.matching > 1)
    out.what += ", and " + std::to_string(out.matching - 1) + " more of " + std::to_string(out.ended);
  return out;
}

bool Trigger::fires(bool holds, Time now) {
  if (!holds) {
    since_ = formats::kNoTime;
    return false;
  }
  if (!formats::known(since_)) since_ = now;
  if (now - since_ < hold_ || (formats::known(fired_) && now - fired_ < rest_)) return false;
  fired_ = now;
  return true;
}

}  // namespace tailcap::watch
