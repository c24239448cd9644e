#include "analyze/tail/verdict/judge.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numeric>

#include "analyze/model/label_group.h"
#include "analyze/tail/slow/bursts.h"
#include "analyze/tail/slow/culprits.h"
#include "analyze/tail/verdict/account.h"
#include "analyze/tail/verdict/by_cause.h"
#include "analyze/tail/verdict/chain.h"
#include "analyze/tail/verdict/effect.h"
#include "analyze/tail/verdict/ordinary.h"
#include "analyze/tail/verdict/pattern.h"
#include "analyze/tail/verdict/takers.h"
#include "analyze/tail/verdict/traits.h"

namespace tailcap::tail::verdict {
namespace {

using formats::nanoseconds;
using model::Label;
using model::Origin;
using model::Pattern;
using model::Verdict;
using model::VerdictKind;
using model::VerdictLevel;
using model::VerdictPart;
using slow::Cohorts;
using slow::Item;

// A part is named if it makes at least this share of the difference.
constexpr double kLeastShare = 0.25;
// Every request waits for it: of a typical request.
constexpr double kUsualShare = 0.5;
// Others had the CPUs if the recorded processes used less than this share of them while one of their threads was
// queued.
constexpr double kOwnShare = 0.5;
// What the hypervisor took around a request explains it from this share of its delay on; a part, if most of its time is
// in such requests.
constexpr double kStolenShare = 0.3, kMostlyStolen = 0.5;
// More of a wait than this, beyond what chance makes, coincides with queues for the CPUs.
constexpr double kCrowdedShare = 0.5;
// Without the kernel's own account of execution, time on CPU contains what the hypervisor took away: seen up to here.
constexpr std::int64_t kStolenAtMost = 10'000'000;
// A small part of a typical request that is a large part of a slow one.
constexpr double kMinorTypically = 0.25, kMajorSlow = 0.5;
// Beyond what the part's own spread predicts. The prediction is a straight line on logarithmic paper: room for a bend.
constexpr double kBeyondOrdinary = 1.5;
constexpr double kBlamed = 0.4;   // of a part's time: its blocker is named
constexpr double kWarming = 0.8;  // of the delay of the slow requests
constexpr std::size_t kLookedAt = 20'000;
constexpr std::size_t kExamples = 3;

double share(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

double time_of(const Item& item, const VerdictPart& part) {
  double ns = 0;
  for (const model::AccountPart& p : item.parts)
    if (has(part, p.label)) ns += static_cast<double>(p.time);
  return ns;
}

template <typename Time>
double ordinary(const std::vector<Item>& items, double from, Time time) {
  const std::size_t step = items.size() / kLookedAt + 1;
  std::vector<double> values;
  for (std::size_t i = 0; i < items.size(); i += step) values.push_back(time(items[i]));
  std::sort(values.begin(), values.end());
  const auto at = [&](std::size_t quarter) { return values[(values.size() - 1) * quarter / 4]; };
  return ordinary_mean_beyond(from, at(1), at(2), at(3));
}

// In the end: what it waited for may itself have waited for a CPU.
bool waits_for_cpu(const VerdictPart& part) { return part_of(part.root) == Label::sched_runq; }

bool runs(const VerdictPart& part) { return model::group_of(part.root) == model::LabelGroup::cpu; }

// A timer or a disk ended the wait: a shortage of CPU does not make it longer.
bool needs_no_cpu(const VerdictPart& part) {
  const auto timed = [](Label label) {
    return label == Label::timer_sleep || label == Label::io_disk || label == Label::io_throttled ||
           label == Label::io_writeback || label == Label::mem_majfault || label == Label::net_idle;
  };
  return timed(part.label) || timed(part.root) ||
         std::any_of(part.chain.begin(), part.chain.end(), [&](const auto& step) { return timed(step.label); });
}

// Blocked on something that a process elsewhere has to do first, so a shortage of CPU can be passed on.
bool blocked(const VerdictPart& part) {
  return (model::rank_of(part.label) == 1 || part.label == Label::q_loop) && !needs_no_cpu(part);
}

// The blocker behind most of a part, which took `time` in all.
void blame(VerdictPart& part, const std::vector<model::CulpritStudy>& culprits, std::int64_t time) {
  const model::CulpritStudy* most = nullptr;
  for (const model::CulpritStudy& c : culprits) {
    const bool queue = model::group_of(c.label) == model::LabelGroup::queue;
    if (queue && c.route == 0 && c.method == 0 && c.what == 0) continue;  // the loop itself
    if (has(part, c.label) && (!most || c.time > most->time)) most = &c;
  }
  if (!part.who && most && share(most->time, time) >= kBlamed) part.who = *most;
}

struct Judge {
  const std::vector<Item>& items;
  const Cohorts& cohorts;
  const model::TailStudy& tail;
  const VerdictContext& around;
  std::vector<model::Crowd::Interval> spans;  // of the slow requests
  double own = -1;                            // own share of the CPUs while recorded threads were queued, in these
  double crowded = 0;                         // share of the time reported
  model::CpuAccount::Use use;                 // of the CPUs, while recorded threads were queued in the slow requests

  Judge(const std::vector<Item>& i, const Cohorts& c, const model::TailStudy& t, const VerdictContext& a)
      : items(i), cohorts(c), tail(t), around(a) {
    for (std::size_t n = 0; n < cohorts.slow; ++n)
      spans.push_back(slow::span_of(around.table, items[cohorts.nth_slowest(n)]));
    own = around.table.crowd.own_share(spans, cpus());
    use = use_over(around.table.cpus, around.table.crowd.common(spans));
    crowded =
        share(around.table.crowd.within(nanoseconds(around.study.begin), nanoseconds(around.study.end)), length());
  }

  // The slow requests' time.
  std::vector<model::Crowd::Interval> disjoint() const {
    std::vector<model::Crowd::Interval> out;
    for (const model::Burst& b : slow::bursts_of(spans)) out.push_back({nanoseconds(b.from), nanoseconds(b.to)});
    return out;
  }

  unsigned cpus() const { return std::max(1u, around.study.quality.preamble.cpus); }
  std::int64_t length() const { return nanoseconds(around.study.end) - nanoseconds(around.study.begin); }

  // Late without a queue for the CPUs: the machine did not run at all, or the code was late.
  Origin shortage_origin(const VerdictPart& part) const {
    if (part.root == Label::cpu_stolen) return Origin::hypervisor;
    if (own < 0) return part.stolen >= kMostlyStolen ? Origin::hypervisor : Origin::machine_or_code;
    return origin_of_shortage(own, use, cpus());
  }

  // The average share that an interval of this length has in the tenths of a second that it touches.
  static double part_of_tenths(std::int64_t length) {
    return static_cast<double>(length) / (static_cast<double>(length) + 1e8);
  }

  // Share of the part's time in slow requests that the hypervisor may have made: of a request, no more than it took
  // from a CPU meanwhile.
  double stolen_share(const VerdictPart& part) const {
    double all = 0, stolen = 0;
    for (std::size_t n = 0; n < cohorts.slow; ++n) {
      const Item& item = items[cohorts.nth_slowest(n)];
      const double time = time_of(item, part);
      all += time;
      const auto taken = static_cast<double>(around.table.cpus.stolen_around(spans[n].from, spans[n].to));
      if (taken > 0 && taken >= kStolenShare * static_cast<double>(item.duration - tail.typical_mean))
        stolen += std::min(time, taken / cpus() * part_of_tenths(spans[n].to - spans[n].from));
    }
    return all > 0 ? stolen / all : 0;
  }

  Origin origin_of(const VerdictPart& part, bool waits_too, bool separate) const {
    if (model::unexplained(part.label) || model::causeless(part.label)) return Origin::unexplained;
    const bool scheduling = waits_for_cpu(part) || part.root == Label::cpu_stolen || part.root == Label::q_notice ||
                            (part.root == Label::go_runnable && waits_too);
    if (scheduling) return shortage_origin(part);
    const double beyond_chance = crowded < 1 ? (part.crowded - crowded) / (1 - crowded) : 0;
    if (blocked(part) && beyond_chance >= kCrowdedShare && own < kOwnShare) return Origin::passed_on;
    if (blocked(part) && part.stolen >= kMostlyStolen) return Origin::passed_on;
    const std::int64_t together = part.difference() * static_cast<std::int64_t>(cohorts.slow);
    if (runs(part) && part.difference() < kStolenAtMost && may_be_stolen(around.table.cpus, together, cpus()))
      return Origin::machine_or_code;
    if (separate ||
        (share(part.typical, tail.typical_mean) < kMinorTypically && share(part.slow, tail.slow_mean) >= kMajorSlow))
      return Origin::service;
    const double expected = ordinary(items, tail.slow_from, [&](const Item& item) { return time_of(item, part); });
    return static_cast<double>(part.slow) > kBeyondOrdinary * expected ? Origin::service : Origin::spread;
  }

  // Requests that wait for a lock, or for others of their route, are under way together because they wait.
  bool queued(const std::vector<VerdictPart>& parts) const {
    if (parts.empty()) return false;
    const VerdictPart& part = parts.front();
    if (model::group_of(part.label) == model::LabelGroup::lock) return true;
    const model::Request first = around.table.rows[items.front().row];
    return blocked(part) && part.who && part.who->route != 0 && part.who->route == first.route;
  }

  void set_pattern(const VerdictParts& account, Verdict& out) const {
    std::vector<model::Crowd::Interval> requests;
    for (std::size_t n = 0; n < cohorts.slow; ++n)
      if (out.parts.empty() || has(out.parts.front(), account.parts[account.mainly[n]].label))
        requests.push_back(spans[n]);
    if (requests.empty()) requests = spans;
    note_pattern(std::move(requests), around.study, out);
  }

  VerdictLevel level_of_answer(const Verdict& v) const {
    VerdictLevel level = level_of(v.slow, v.typical);
    if (!v.parts.empty() && v.parts.front().origin == Origin::spread) level = std::min(level, VerdictLevel::note);
    if (v.parts.empty() || v.parts.front().origin == Origin::unexplained)
      level = std::min(level, VerdictLevel::notable);
    return level;
  }

  // The requests that the first part slowed down did more work of their own, and are the first that their processes
  // served in this recording: caches fill, code is loaded and compiled.
  bool warms_up(const Verdict& v) const {
    if (v.parts.empty()) return false;
    const Label root = v.parts.front().root;
    if (!runs(v.parts.front()) && root != Label::mem_majfault && root != Label::io_disk) return false;
    std::map<std::uint32_t, std::uint32_t> first;  // by process; items are in the order of start
    for (const Item& item : items) first.try_emplace(around.table.rows[item.row].pid, item.row);
    std::int64_t all = 0, warming = 0;
    for (std::size_t n = 0; n < cohorts.slow; ++n) {
      const Item& item = items[cohorts.nth_slowest(n)];
      all += item.duration - tail.typical_mean;
      if (first[around.table.rows[item.row].pid] == item.row) warming += item.duration - tail.typical_mean;
    }
    return share(warming, all) >= kWarming;
  }

  // What one group of the slow requests waited for.
  std::optional<model::SlowCause> cause_of(const VerdictPart& of, const std::vector<std::uint32_t>& group,
                                           bool waits_too) const {
    const Cohorts own_cohort = slow::cohort_of(group);
    const Judge group_judge(items, own_cohort, tail, around);
    model::SlowCause out;
    out.requests = group.size();
    out.example = around.table.rows.id(items[group.front()].row);
    VerdictPart& part = out.part;
    part.label = of.label;
    part.labels = of.labels;
    part.typical = of.typical;
    part.mainly = group.size();
    double time = 0, in_queues = 0, inferred = 0;
    for (const std::uint32_t i : group) {
      out.slow += items[i].duration / static_cast<std::int64_t>(group.size());
      for (const model::AccountPart& p : items[i].parts) {
        if (!has(part, p.label)) continue;
        const auto ns = static_cast<double>(p.time);
        time += ns;
        in_queues += ns * p.crowded_share();
        if (p.evidence == model::Evidence::inferred) inferred += ns;
      }
    }
    part.slow = std::llround(time / static_cast<double>(group.size()));
    part.crowded = time > 0 ? in_queues / time : 0;
    part.inferred = 2 * inferred > time;
    if (part.difference() < kLeastGap || share(part.difference(), out.slow - tail.typical_mean) < kLeastShare)
      return std::nullopt;
    look_through(part, items, own_cohort, around);
    part.stolen = group_judge.stolen_share(part);
    part.origin = group_judge.origin_of(part, waits_too, cohorts.gap);
    blame(part, slow::culprits_of(around.table, items, own_cohort, around.links, around.study.quality.preamble),
          part.slow * static_cast<std::int64_t>(group.size()));
    name_users(part, around.table, around.study.memory, group_judge.disjoint());
    return out;
  }

  // One entry for each cause; empty where all have one.
  std::vector<model::SlowCause> by_cause(const VerdictParts& account, bool waits_too) const {
    std::vector<model::SlowCause> out;
    for (const CauseGroup& group : groups_of(account, items, cohorts, around)) {
      auto cause = cause_of(account.parts[group.part], group.items, waits_too);
      if (cause && cause->part.origin != Origin::spread) out.push_back(std::move(*cause));
    }
    if (out.size() < 2) out.clear();
    return out;
  }

  // What every request waits for; nothing if no one part is most of a typical request.
  void usual(const VerdictParts& account, Verdict& out) const {
    out.parts.clear();
    out.when.clear();
    out.kind = VerdictKind::nothing;
    out.level = VerdictLevel::nothing;
    const auto most = std::max_element(account.parts.begin(), account.parts.end(),
                                       [](const auto& a, const auto& b) { return a.typical < b.typical; });
    if (most == account.parts.end() || tail.typical_mean < kLeastGap ||
        model::group_of(most->label) == model::LabelGroup::cpu || share(most->typical, tail.typical_mean) < kUsualShare)
      return;
    VerdictPart part = *most;
    part.stolen = stolen_share(part);
    part.origin = model::unexplained(part.label) || model::causeless(part.label) ? Origin::unexplained
                  : waits_for_cpu(part)                                          ? shortage_origin(part)
                                                                                 : Origin::service;
    blame(part, tail.culprits, part.slow * static_cast<std::int64_t>(cohorts.slow));
    out.parts.push_back(std::move(part));
    out.kind = VerdictKind::usual;
    out.level = level_of_usual(out.parts.front(), items.front().row, tail.typical_mean, around);
    out.pattern = Pattern::always;
    out.requests = out.of;
  }

  Verdict run() {
    Verdict out;
    out.kind = VerdictKind::tail;
    out.of = items.size();
    out.requests = cohorts.slow;
    out.slow = tail.slow_mean;
    out.typical = tail.typical_mean;
    VerdictParts account = account_of(items, cohorts, tail);
    for (VerdictPart& part : account.parts) look_through(part, items, cohorts, around);
    for (std::size_t n = 0; n < cohorts.slow; ++n)
      out.excess += std::max<std::int64_t>(0, items[cohorts.nth_slowest(n)].duration - tail.typical_mean);
    for (std::size_t n = 0; n < std::min(kExamples, cohorts.slow); ++n)
      out.examples.push_back(around.table.rows.id(items[cohorts.nth_slowest(n)].row));
    for (const model::LabelDifference& d : tail.labels)
      if (d.label == Label::unexplained_lost) out.lost = d.slow;

    const std::int64_t gap = tail.gap();
    if (gap < kLeastGap || static_cast<double>(tail.slow_mean) < kLeastRatio * static_cast<double>(tail.typical_mean)) {
      usual(account, out);
      return out;
    }
    out.kind_of_their_own = cohorts.gap;
    const bool waits_too = std::any_of(account.parts.begin(), account.parts.end(), [&](const VerdictPart& p) {
      return waits_for_cpu(p) && share(p.difference(), gap) >= kLeastShare;
    });
    for (const VerdictPart& p : account.parts) {
      if (share(p.difference(), gap) < kLeastShare || p.difference() < kLeastGap) continue;
      VerdictPart part = p;
      part.stolen = stolen_share(part);
      part.origin = origin_of(part, waits_too, out.kind_of_their_own);
      blame(part, tail.culprits, part.slow * static_cast<std::int64_t>(cohorts.slow));
      name_users(part, around.table, around.study.memory, disjoint());
      out.parts.push_back(std::move(part));
    }
    const auto lost = [](const VerdictPart& p) { return p.label == Label::unexplained_lost; };
    if (account.parts.size() > 1 && out.parts.size() > 0 && !lost(account.parts.front()))
      out.ranked = out.lost <= account.parts[0].difference() - std::max<std::int64_t>(0, account.parts[1].difference());
    if (!out.parts.empty() && out.parts.front().origin == Origin::spread) {
      const auto typical = std::max_element(account.parts.begin(), account.parts.end(),
                                            [](const auto& a, const auto& b) { return a.typical < b.typical; });
      if (typical->label == out.parts.front().label && share(typical->typical, tail.typical_mean) >= kUsualShare) {
        usual(account, out);
        return out;
      }
    }
    set_pattern(account, out);
    out.level = level_of_answer(out);
    if (warms_up(out)) out.level = std::min(out.level, VerdictLevel::note);
    if (out.level > VerdictLevel::nothing) out.by_cause = by_cause(account, waits_too);
    if (out.level > VerdictLevel::nothing)
      out.shared = shared_traits(items, cohorts, out.when.size(), around.table, around.links, queued(out.parts));
    return out;
  }
};

}  // namespace

Verdict judge(const std::vector<Item>& items, const Cohorts& cohorts, const model::TailStudy& tail,
              const VerdictContext& around) {
  return Judge(items, cohorts, tail, around).run();
}

std::int64_t ordinary_slow_mean(const std::vector<Item>& items, double from) {
  return static_cast<std::int64_t>(
      std::min(9e18, ordinary(items, from, [](const Item& i) { return static_cast<double>(i.duration); })));
}

Verdict account_for_few(const std::vector<Item>& items, const Cohorts& cohorts,
                        const std::vector<model::CulpritStudy>& culprits, const VerdictContext& around) {
  Verdict out;
  out.kind = VerdictKind::few;
  out.requests = out.of = items.size();
  std::vector<std::pair<std::int64_t, std::uint32_t>> slowest;
  std::int64_t sum = 0;
  std::vector<model::Crowd::Interval> spans;
  for (const Item& item : items) {
    slowest.emplace_back(item.duration, item.row);
    sum += item.duration;
    spans.push_back(slow::span_of(around.table, item));
  }
  std::sort(slowest.rbegin(), slowest.rend());
  for (std::size_t n = 0; n < std::min(kExamples, slowest.size()); ++n)
    out.examples.push_back(around.table.rows.id(slowest[n].second));
  out.slow = items.empty() ? 0 : sum / static_cast<std::int64_t>(items.size());
  out.when = slow::bursts_of(std::move(spans));
  out.pattern = Pattern::always;
  const VerdictParts account = account_of(items);
  for (VerdictPart part : account.parts) {
    look_through(part, items, cohorts, around);
    if (share(part.slow, out.slow) < kLeastShare || part.slow < kLeastGap) continue;
    part.origin =
        model::unexplained(part.label) || model::causeless(part.label) ? Origin::unexplained : Origin::service;
    blame(part, culprits, part.slow * static_cast<std::int64_t>(items.size()));
    out.parts.push_back(std::move(part));
  }
  out.level = !slowest.empty() && slowest.front().first >= 10 * kLeastGap && !out.parts.empty() ? VerdictLevel::note
                                                                                                : VerdictLevel::nothing;
  return out;
}

}  // namespace tailcap::tail::verdict
