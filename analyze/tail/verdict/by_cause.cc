#include "analyze/tail/verdict/by_cause.h"

#include <algorithm>
#include <map>
#include <optional>

#include "analyze/tail/slow/culprits.h"

namespace tailcap::tail::verdict {
namespace {

// The least number and the least share of requests for which a group is named. Beyond a gap both are smaller: all
// requests there are slow for some reason.
constexpr std::size_t kLeastBeyond = 2, kLeast = 3;
constexpr double kShareBeyond = 0.05, kShare = 0.1;
constexpr std::size_t kGroups = 4;  // more are a list, not an answer

using Who = std::pair<model::Label, slow::CulpritKey>;

// What the request waited for most under a label of the part; none: not known.
std::optional<Who> who_delayed(const slow::Item& item, const model::VerdictPart& part, const VerdictContext& around) {
  std::optional<model::Culprit> most;
  for (const model::Culprit& c : around.table.partitions.culprits(around.table.rows.id(item.row)))
    if (has(part, c.label) && (!most || c.time > most->time)) most = c;
  if (!most) return std::nullopt;
  const model::CulpritStudy who = slow::culprit_study(*most, around.table, around.links, around.study.quality.preamble);
  return Who{most->label, slow::key_of(who, slow::Unnamed::by_place)};
}

std::int64_t all_time(const CauseGroup& group, const std::vector<slow::Item>& items) {
  std::int64_t sum = 0;
  for (const std::uint32_t i : group.items) sum += items[i].duration;
  return sum;
}

}  // namespace

std::vector<CauseGroup> groups_of(const VerdictParts& account, const std::vector<slow::Item>& items,
                                  const slow::Cohorts& cohorts, const VerdictContext& around) {
  const double share = cohorts.gap ? kShareBeyond : kShare;
  const std::size_t least = std::max(cohorts.gap ? kLeastBeyond : kLeast,
                                     static_cast<std::size_t>(share * static_cast<double>(cohorts.slow)));
  std::map<std::uint32_t, std::map<std::optional<Who>, std::vector<std::uint32_t>>> parts;
  for (std::size_t n = 0; n < cohorts.slow; ++n) {
    const std::uint32_t at = cohorts.nth_slowest(n), part = account.mainly[n];
    if (account.parts.empty()) return {};
    parts[part][who_delayed(items[at], account.parts[part], around)].push_back(at);
  }
  std::vector<CauseGroup> out;
  for (const auto& [part, by_who] : parts) {
    const auto large = std::ranges::count_if(by_who, [&](const auto& w) { return w.second.size() >= least; });
    CauseGroup rest{part, {}};  // waited for the same, but for many different ones
    for (const auto& [who, members] : by_who) {
      if (large > 1 && members.size() >= least)
        out.push_back({part, members});
      else
        rest.items.insert(rest.items.end(), members.begin(), members.end());
    }
    if (rest.items.size() < least) continue;
    std::ranges::stable_sort(rest.items,
                             [&](std::uint32_t a, std::uint32_t b) { return items[a].duration > items[b].duration; });
    out.push_back(std::move(rest));
  }
  std::ranges::stable_sort(
      out, [&](const CauseGroup& a, const CauseGroup& b) { return all_time(a, items) > all_time(b, items); });
  if (out.size() > kGroups) out.resize(kGroups);
  return out;
}

}  // namespace tailcap::tail::verdict
