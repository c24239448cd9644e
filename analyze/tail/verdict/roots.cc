#include "analyze/tail/verdict/roots.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>

#include "analyze/model/label_group.h"
#include "analyze/tail/slow/bursts.h"

namespace tailcap::tail::verdict {
namespace {

using formats::nanoseconds;
using model::Verdict;
using model::VerdictKind;
using model::VerdictLevel;

// The least share of what slow requests take longer that lies in the call.
constexpr double kMostOfRoot = 0.5;

// The route of a request, by its number in the study.
class RouteNumbers {
 public:
  RouteNumbers(const model::RequestTable& table, const model::Study& study) : table_(table) {
    for (std::uint32_t i = 0; i < study.routes.size(); ++i) {
      const model::RouteStudy& r = study.routes[i];
      numbers_.emplace(Name{r.method, r.route, r.comm, r.role}, i);
    }
  }
  std::optional<std::uint32_t> of(const model::Request& r) const {
    const auto at = numbers_.find(Name{table_.texts[r.method], table_.texts[r.route], table_.texts[r.comm], r.role});
    return at == numbers_.end() ? std::nullopt : std::optional(at->second);
  }

 private:
  using Name = std::tuple<std::string_view, std::string_view, std::string_view, model::Role>;
  const model::RequestTable& table_;
  std::map<Name, std::uint32_t> numbers_;
};

bool overlap(const Verdict& a, const Verdict& b) {
  for (const model::Burst& x : a.when)
    for (const model::Burst& y : b.when)
      if (nanoseconds(x.from) - slow::kBurstGap <= nanoseconds(y.to) &&
          nanoseconds(y.from) - slow::kBurstGap <= nanoseconds(x.to))
        return true;
  return false;
}

bool is_call(model::Label label) {
  return label == model::Label::down_wait || label == model::Label::down_body || label == model::Label::down_send;
}

// The call that an answer says most of its requests waited for.
model::ExchangeId call_behind(const Verdict& v) {
  if (v.parts.empty()) return {};
  const model::VerdictPart& part = v.parts.front();
  const bool call = is_call(part.label);
  const double share =
      static_cast<double>(part.difference()) / static_cast<double>(std::max<std::int64_t>(1, v.slow - v.typical));
  return call && part.who && share >= kMostOfRoot ? part.who->example : model::ExchangeId{};
}

// The answer about requests of this route that were slow, like those of v and at the same times.
std::optional<std::size_t> answer_about(std::uint32_t route, const Verdict& v, const std::vector<Verdict>& all) {
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Verdict& other = all[i];
    if (&other == &v || other.kind != v.kind || other.level == VerdictLevel::nothing || other.routes.size() != 1)
      continue;
    if (other.routes.front() == route && overlap(v, other)) return i;
  }
  return std::nullopt;
}

// The answer about requests that say these calls of theirs are what they waited for.
std::optional<std::size_t> answer_of_callers(const Verdict& calls, const model::RequestTable& table,
                                             const model::Study& study, const std::vector<Verdict>& all) {
  const model::RouteStudy& route = study.routes[calls.routes.front()];
  if (route.role != model::Role::client) return std::nullopt;
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Verdict& v = all[i];
    if (v.kind != calls.kind || v.level == VerdictLevel::nothing || v.routes.size() != 1 || v.parts.empty()) continue;
    const auto& who = v.parts.front().who;
    if (study.routes[v.routes.front()].role != model::Role::server || !who || !is_call(v.parts.front().label)) continue;
    if (table.texts[who->method] == route.method && table.texts[who->route] == route.route) return i;
  }
  return std::nullopt;
}

bool worth_joining(const Verdict& v) {
  return v.scope == model::VerdictScope::route && v.routes.size() == 1 && v.level > VerdictLevel::nothing &&
         v.part_of < 0 && v.kind == VerdictKind::tail;
}

// What requests of a route felt of another answer, by its place.
using FeltBy = std::pair<std::size_t, model::Felt>;

// A shortage of CPU is said of the machine.
bool by_machine(const model::SlowCause& cause) {
  return cause.part.origin != model::Origin::service && cause.part.origin != model::Origin::unexplained;
}

// Answers about callers become parts of those about their calls; what is felt of the causes of an answer that has
// several.
std::vector<FeltBy> join_to_deeper(const model::RequestTable& table, const slow::Links& links,
                                   const model::Study& study, std::vector<Verdict>& all) {
  const RouteNumbers numbers(table, study);
  std::vector<FeltBy> felt;
  const auto deeper_than = [&](std::size_t i, model::ExchangeId id) -> std::optional<std::size_t> {
    const auto call = links.row_of(id);
    const auto served = call ? links.row_of(table.all().peer(*call)) : std::nullopt;
    const auto route = served ? numbers.of(table.all()[*served]) : std::nullopt;
    const auto deeper = route ? answer_about(*route, all[i], all) : std::nullopt;
    // Services that call each other explain nothing.
    return deeper && *deeper != i && all[*deeper].part_of < 0 ? deeper : std::nullopt;
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!worth_joining(all[i])) continue;
    if (all[i].by_cause.empty()) {
      if (const auto deeper = deeper_than(i, call_behind(all[i]))) all[i].part_of = static_cast<std::int32_t>(*deeper);
      continue;
    }
    // Explained elsewhere only where each of its causes is. Otherwise it stays, and the others name it.
    std::optional<std::size_t> first;
    bool each = true;
    for (const model::SlowCause& cause : all[i].by_cause) {
      const bool call = is_call(cause.part.label) && cause.part.who;
      const auto deeper = call ? deeper_than(i, cause.part.who->example) : std::nullopt;
      each = each && (deeper || by_machine(cause));
      if (!deeper) continue;
      if (!first) first = deeper;
      felt.push_back({*deeper, {all[i].routes.front(), cause.requests, all[i].of}});
    }
    if (first && each) all[i].part_of = static_cast<std::int32_t>(*first);
  }
  return felt;
}

}  // namespace

void join_unanswered(std::vector<Verdict>& all) {
  std::vector<std::size_t> gone;
  for (std::size_t i = 0; i < all.size(); ++i) {
    Verdict& open = all[i];
    if (open.kind != VerdictKind::unfinished || open.routes.size() != 1) continue;
    if (!open.cut_off) continue;
    const auto ended = std::ranges::find_if(all, [&](const Verdict& v) {
      return v.kind == VerdictKind::tail && v.level > VerdictLevel::nothing && v.routes == open.routes;
    });
    if (ended == all.end()) continue;
    ended->unanswered += open.requests;
    gone.push_back(i);
  }
  for (auto i = gone.rbegin(); i != gone.rend(); ++i) all.erase(all.begin() + static_cast<std::ptrdiff_t>(*i));
}

void join_callers(const model::RequestTable& table, const slow::Links& links, const model::Study& study,
                  std::vector<Verdict>& all) {
  const std::vector<FeltBy> felt = join_to_deeper(table, links, study, all);
  // Calls whose server is not recorded are said where they were made.
  std::vector<bool> said(all.size());
  for (std::size_t i = 0; i < all.size(); ++i) {
    const Verdict& v = all[i];
    if (v.scope != model::VerdictScope::route || v.routes.size() != 1 || v.level == VerdictLevel::nothing ||
        v.part_of >= 0)
      continue;
    if (v.kind != VerdictKind::tail && v.kind != VerdictKind::usual) continue;
    const auto callers = answer_of_callers(v, table, study, all);
    if (!callers) continue;
    all[i].part_of = static_cast<std::int32_t>(*callers);
    said[i] = true;
  }
  const auto root_of = [&](std::size_t i) {
    for (std::size_t steps = 0; all[i].part_of >= 0 && steps < all.size(); ++steps)
      i = static_cast<std::size_t>(all[i].part_of);
    return i;
  };
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].part_of < 0) continue;
    if (said[i]) {
      all[i].level = std::min(all[i].level, VerdictLevel::note);
      continue;
    }
    const std::size_t root = root_of(i);
    if (all[i].by_cause.empty()) all[root].felt.push_back({all[i].routes.front(), all[i].requests, all[i].of});
    all[root].level = std::max(all[root].level, all[i].level);
    all[root].excess = std::max(all[root].excess, all[i].excess);
  }
  for (const auto& [by, who] : felt) all[root_of(by)].felt.push_back(who);
  for (Verdict& v : all) {
    if (v.part_of >= 0) v.level = std::min(v.level, VerdictLevel::note);
    std::ranges::stable_sort(v.felt, std::ranges::greater{}, &model::Felt::requests);
  }
}

}  // namespace tailcap::tail::verdict
