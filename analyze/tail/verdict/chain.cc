#include "analyze/tail/verdict/chain.h"

#include <algorithm>
#include <array>
#include <map>

#include "analyze/model/label_group.h"
#include "analyze/tail/slow/culprits.h"
#include "analyze/tail/verdict/account.h"

namespace tailcap::tail::verdict {
namespace {

using model::Chain;
using model::CulpritStudy;
using model::Label;
using model::VerdictPart;
using model::VerdictStep;

// The share of the part's time from which a step is said, and from which a root stands for the part.
constexpr double kMostly = 0.5;

struct Found {
  model::ExchangeId request;
  const Chain* chain;
  double time;
};

// The blocker behind most of the time of these chains' step; none: no one is behind that much.
std::optional<CulpritStudy> who_at(const std::vector<Found>& found, std::size_t step, double all,
                                   const VerdictContext& around, slow::Unnamed unnamed) {
  struct Sum {
    struct Waiter {
      double time = 0, longest = 0;
      model::ExchangeId behind;  // for the longest
    };
    double time = 0;
    std::map<model::ExchangeId, Waiter> waiters;
    CulpritStudy who;
  };
  std::map<slow::CulpritKey, Sum> sums;
  for (const Found& f : found) {
    CulpritStudy who =
        slow::culprit_study(f.chain->steps[step], around.table, around.links, around.study.quality.preamble);
    const bool named = who.route != 0 || who.method != 0;
    if (who.what == 0 && !named && who.tid == 0) continue;
    Sum& sum = sums[slow::key_of(who, unnamed)];
    if (sum.time == 0) sum.who = who;
    slow::join(sum.who, who);
    sum.time += f.time;
    Sum::Waiter& waiter = sum.waiters[f.request];
    waiter.time += f.time;
    if (f.time <= waiter.longest) continue;
    waiter.longest = f.time;
    waiter.behind = f.chain->steps[step].request;
  }
  const auto most = std::max_element(sums.begin(), sums.end(),
                                     [](const auto& a, const auto& b) { return a.second.time < b.second.time; });
  if (most == sums.end() || most->second.time < kMostly * all) return std::nullopt;
  CulpritStudy out = most->second.who;
  const auto& waiters = most->second.waiters;
  const auto longest = std::max_element(waiters.begin(), waiters.end(),
                                        [](const auto& a, const auto& b) { return a.second.time < b.second.time; });
  out.held_up = longest->first;
  out.example = longest->second.behind;
  out.slow = waiters.size();
  out.time = static_cast<std::int64_t>(most->second.time);
  return out;
}

// The blocker behind most of the time of these chains' step; none: no one is behind that much.
std::optional<CulpritStudy> who_at(const std::vector<Found>& found, std::size_t step, double all,
                                   const VerdictContext& around) {
  const auto who = who_at(found, step, all, around, slow::Unnamed::by_thread);
  return who ? who : who_at(found, step, all, around, slow::Unnamed::by_place);
}

bool lock(Label label) { return model::group_of(label) == model::LabelGroup::lock; }

}  // namespace

void look_through(VerdictPart& part, const std::vector<slow::Item>& items, const slow::Cohorts& cohorts,
                  const VerdictContext& around) {
  part.root = part.label;
  std::vector<Found> found;
  for (std::size_t n = 0; n < cohorts.slow; ++n) {
    const model::ExchangeId id = around.table.rows.id(items[cohorts.nth_slowest(n)].row);
    const auto chains = around.table.chains.find(id);
    if (chains == around.table.chains.end()) continue;
    for (const Chain& c : chains->second)
      if (has(part, c.steps.front().label)) found.push_back({id, &c, static_cast<double>(c.time)});
  }
  const auto requests = static_cast<double>(cohorts.slow);
  const double whole = static_cast<double>(part.slow) * requests;
  if (found.empty() || whole <= 0) return;

  std::array<double, model::kLabels> roots{};
  for (const Found& f : found)
    if (!f.chain->beyond_capture && f.chain->steps.size() > 1)
      roots[static_cast<std::size_t>(part_of(f.chain->root()))] += f.time;
  const auto root = std::max_element(roots.begin(), roots.end());
  if (*root >= kMostly * whole) part.root = static_cast<Label>(root - roots.begin());

  // Behind a queue at a lock is who held it, not the waiter in front who passed it on.
  if (lock(part.label)) part.who = who_at(found, 0, whole, around);

  for (std::size_t step = 1;; ++step) {
    std::array<double, model::kLabels> next{};
    double ends = 0;  // with somebody who was not recorded
    for (const Found& f : found) {
      if (f.chain->steps.size() > step)
        next[static_cast<std::size_t>(part_of(f.chain->steps[step].label))] += f.time;
      else if (f.chain->beyond_capture)
        ends += f.time;
    }
    const auto most = std::max_element(next.begin(), next.end());
    if (*most < kMostly * whole) {
      part.beyond_capture = ends >= kMostly * whole;
      return;
    }
    const Label label = static_cast<Label>(most - next.begin());
    std::erase_if(found, [&](const Found& f) {
      return f.chain->steps.size() <= step || part_of(f.chain->steps[step].label) != label;
    });
    part.chain.push_back({label, static_cast<std::int64_t>(*most / requests), who_at(found, step, *most, around)});
  }
}

}  // namespace tailcap::tail::verdict
