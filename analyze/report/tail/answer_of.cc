#include "analyze/report/tail/answer_of.h"

#include <algorithm>

#include "ground/number_sort.h"

namespace tailcap::report::tail {
namespace {

using model::Verdict;
using model::VerdictKind;

}  // namespace

std::optional<std::size_t> route_of(const model::Study& study, const model::RequestTable& table,
                                    const model::Request& request) {
  const auto text = [&](model::TextId id) { return id == 0 ? std::string_view{} : std::string_view(table.texts[id]); };
  for (std::size_t i = 0; i < study.routes.size(); ++i) {
    const model::RouteStudy& route = study.routes[i];
    if (route.role == request.role && route.method == text(request.method) && route.route == text(request.route) &&
        route.comm == text(request.comm))
      return i;
  }
  return std::nullopt;
}

// How many requests of the route took longer.
std::size_t AnswerOf::slower(std::size_t route, const model::Request& request) {
  auto [at, added] = durations_.try_emplace(route);
  std::vector<std::int64_t>& all = at->second;
  if (added) {
    for (std::size_t i = 0; i < table_.rows.size(); ++i) {
      if (table_.rows.route(i) != request.route || !table_.rows.has_duration(i)) continue;
      if (table_.rows.role(i) != request.role) continue;
      const model::RowNames names = table_.rows.names(i);
      if (names.method == request.method && names.comm == request.comm) all.push_back(table_.rows.duration(i).count());
    }
    ground::sort_numbers(all);
  }
  return static_cast<std::size_t>(all.end() - std::upper_bound(all.begin(), all.end(), request.duration.count()));
}

std::optional<std::size_t> AnswerOf::verdict(const model::Request& request) {
  if (!formats::known(request.start)) return std::nullopt;
  const auto route = route_of(study_, table_, request);
  if (!route) return std::nullopt;
  for (std::size_t i = 0; i < study_.verdicts.size(); ++i) {
    const Verdict& v = study_.verdicts[i];
    const bool about = v.scope != model::VerdictScope::machine && v.level != model::VerdictLevel::nothing &&
                       std::ranges::find(v.routes, static_cast<std::uint32_t>(*route)) != v.routes.end();
    if (!about) continue;
    if (v.kind == VerdictKind::failing) {
      if (model::failed(request)) return i;
      continue;
    }
    if ((v.kind == VerdictKind::unfinished) == request.has_duration) continue;
    if (v.kind == VerdictKind::unfinished && request.outcome != model::Outcome::in_flight) continue;
    if (v.kind != VerdictKind::tail) return i;
    // One of the slowest, at a time when slow ones came.
    const bool then = std::ranges::any_of(v.when, [&](const model::Burst& b) {
      return b.from <= request.start && request.start + request.duration <= b.to;
    });
    const std::size_t slow = v.routes.size() == 1 ? v.requests : study_.routes[*route].tail->verdict.requests;
    if (then && slower(*route, request) < slow) return i;
  }
  return std::nullopt;
}

std::size_t AnswerOf::number(const model::Request& request) {
  const auto found = verdict(request);
  if (!found) return 0;
  const auto number = [&](std::size_t verdict) -> std::size_t {
    const auto at = std::ranges::find(verdicts_, verdict);
    return at == verdicts_.end() ? 0 : static_cast<std::size_t>(at - verdicts_.begin()) + 1;
  };
  if (const std::size_t own = number(*found); own != 0) return own;
  const std::int32_t whole = study_.verdicts[*found].part_of;
  return whole < 0 ? 0 : number(static_cast<std::size_t>(whole));
}

}  // namespace tailcap::report::tail
