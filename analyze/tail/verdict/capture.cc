#include "analyze/tail/verdict/capture.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "analyze/tail/slow/bursts.h"
#include "analyze/tail/verdict/effect.h"
#include "analyze/tail/verdict/roots.h"
#include "analyze/tail/verdict/takers.h"

namespace tailcap::tail::verdict {
namespace {

using formats::nanoseconds;
using model::Burst;
using model::Origin;
using model::Verdict;
using model::VerdictKind;
using model::VerdictLevel;
using model::VerdictPart;
using model::VerdictScope;

// A shortage of CPU is the capture's own answer if it explains most of the delay of this number of routes or requests.
constexpr double kMostOfIt = 0.5;
constexpr std::size_t kLeastRoutes = 2;
constexpr std::uint64_t kLeastRequests = 10;
constexpr std::size_t kTakers = 8;
constexpr double kLeastTaker = 0.005;  // CPUs

bool by_shortage(const VerdictPart& part) {
  return part.origin == Origin::machine || part.origin == Origin::hypervisor || part.origin == Origin::recorder ||
         part.origin == Origin::own_load || part.origin == Origin::passed_on;
}

// The share of the difference that lies in queues for the CPUs.
double explained_by_shortage(const Verdict& v) {
  double sum = 0;
  for (const VerdictPart& part : v.parts)
    if (by_shortage(part))
      sum += static_cast<double>(part.difference()) *
             (part.origin == Origin::passed_on ? std::max(part.crowded, part.stolen) : 1);
  return std::min(1.0, sum / static_cast<double>(std::max<std::int64_t>(1, v.slow - v.typical)));
}

model::CpuShortage shortage_of(const model::RequestTable& table, const model::Study& study) {
  model::CpuShortage out;
  const model::Crowd::Interval reported{formats::nanoseconds(study.begin), formats::nanoseconds(study.end)};
  const auto intervals = table.crowd.common({&reported, 1});
  out.total = table.crowd.within(reported.from, reported.to);
  out.cpus = std::max(1u, study.quality.preamble.cpus);
  out.own = std::max(0.0, table.crowd.own_share(intervals, out.cpus)) * out.cpus;
  out.stolen = table.cpus.stolen();
  const auto use = use_over(table.cpus, intervals);
  out.takers_known = use.known;
  if (use.known) {
    out.steal = use.steal;
    out.recorder = use.recorder;
    for (const auto& taker : use.takers)
      if (out.takers.size() < kTakers && taker.cpus >= kLeastTaker) out.takers.push_back(taker);
    out.origin = origin_of_shortage(out.own / out.cpus, use, out.cpus);
  } else {
    out.origin = 2 * out.own >= out.cpus ? Origin::own_load : Origin::machine;
  }
  for (const auto& i : intervals) {
    const formats::Time from = formats::time_from(i.from), to = formats::time_from(i.to);
    if (out.episodes.empty() || i.from - nanoseconds(out.episodes.back().to) > slow::kBurstGap)
      out.episodes.push_back({from, to, 0});
    else
      out.episodes.back().to = std::max(out.episodes.back().to, to);
  }
  return out;
}

class Conclusion {
 public:
  Conclusion(const model::RequestTable& table, const slow::Links* links, model::Study& study)
      : table_(table), links_(links), study_(study) {}

  void run() {
    for (std::uint32_t i = 0; i < study_.routes.size(); ++i) {
      for (auto* verdict : {&study_.routes[i].unfinished, &study_.routes[i].failing, &study_.routes[i].undelivered}) {
        if (!*verdict) continue;
        (*verdict)->routes = {i};
        all_.push_back(**verdict);
      }
      if (!study_.routes[i].tail) continue;
      Verdict& verdict = study_.routes[i].tail->verdict;
      verdict.routes = {i};
      if (verdict.kind == VerdictKind::nothing) continue;
      all_.push_back(verdict);
    }
    study_.shortage = shortage_of(table_, study_);
    join_unanswered(all_);
    if (links_) join_callers(table_, *links_, study_, all_);
    blame_machine();
    join_same_cause();
    // What another verdict explains comes after it; otherwise by weight, what failed and what still waits before the
    // rest.
    std::vector<std::size_t> order(all_.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
      const auto weight = [&](std::size_t i) {
        const Verdict& v = all_[i];
        const int urgent = v.kind == VerdictKind::failing ? 2 : v.kind == VerdictKind::unfinished && !v.cut_off ? 1 : 0;
        return std::tuple(v.level, urgent, urgent == 2 ? static_cast<std::int64_t>(v.requests) : v.excess, v.slow);
      };
      return weight(b) < weight(a);
    });
    std::vector<std::int32_t> place(all_.size());
    for (std::size_t i = 0; i < order.size(); ++i) place[order[i]] = static_cast<std::int32_t>(i);
    study_.verdicts.clear();
    for (const std::size_t i : order) {
      Verdict v = std::move(all_[i]);
      if (v.part_of >= 0) v.part_of = place[static_cast<std::size_t>(v.part_of)];
      study_.verdicts.push_back(std::move(v));
    }
  }

 private:
  void note_requests(Verdict& whole, const Verdict& one) {
    whole.requests += one.requests;
    whole.of += one.of;
    whole.excess += one.excess;
    whole.examples.insert(whole.examples.end(), one.examples.begin(), one.examples.end());
    whole.routes.insert(whole.routes.end(), one.routes.begin(), one.routes.end());
  }

  void finish(Verdict& whole) {
    const auto duration = [&](model::ExchangeId id) {
      const auto row = links_->row_of(id);
      return row ? table_.all().duration(*row).count() : std::int64_t{0};
    };
    std::vector<std::pair<std::int64_t, model::ExchangeId>> by_duration;
    for (const model::ExchangeId id : whole.examples) by_duration.emplace_back(duration(id), id);
    std::stable_sort(by_duration.begin(), by_duration.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    whole.examples.clear();
    for (std::size_t i = 0; i < std::min<std::size_t>(3, by_duration.size()); ++i)
      whole.examples.push_back(by_duration[i].second);
  }

  void blame_machine() {
    Verdict machine;
    machine.scope = VerdictScope::machine;
    machine.kind = VerdictKind::tail;
    std::vector<std::size_t> from;
    double explained = 0, slow = 0, typical = 0;
    VerdictPart part;
    part.label = part.root = model::Label::sched_runq;
    part.labels = {model::Label::sched_runq, model::Label::sched_preempted};
    double stolen = 0;  // share of the excess that the hypervisor made
    VerdictLevel level = VerdictLevel::nothing;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const Verdict& v = all_[i];
      if (v.kind != VerdictKind::tail || v.level == VerdictLevel::nothing || v.part_of >= 0) continue;
      const double by = explained_by_shortage(v);
      if (by < kMostOfIt) continue;
      from.push_back(i);
      note_requests(machine, v);
      explained += by * static_cast<double>(v.excess);
      slow += static_cast<double>(v.slow) * static_cast<double>(v.requests);
      typical += static_cast<double>(v.typical) * static_cast<double>(v.requests);
      level = std::max(level, v.level);
      if (v.parts.front().origin == Origin::hypervisor) stolen += static_cast<double>(v.excess);
    }
    if (from.empty() || (machine.routes.size() < kLeastRoutes && machine.requests < kLeastRequests)) return;
    stolen /= static_cast<double>(std::max<std::int64_t>(1, machine.excess));
    machine.level = level;
    machine.slow = static_cast<std::int64_t>(slow / static_cast<double>(machine.requests));
    machine.typical = static_cast<std::int64_t>(typical / static_cast<double>(machine.requests));
    machine.explained = static_cast<std::int64_t>(explained);
    part.origin = stolen > 0.5 ? Origin::hypervisor : study_.shortage.origin;
    part.slow = machine.slow;
    part.typical = machine.typical;
    part.mainly = machine.requests;
    machine.parts.push_back(part);
    for (const std::size_t i : from)
      for (const Burst& b : all_[i].when) count_into_episodes(b);
    for (const Burst& e : study_.shortage.episodes)
      if (e.requests > 0) machine.when.push_back(e);
    machine.pattern = machine.when.size() == 1 ? model::Pattern::incident : model::Pattern::recurring;
    finish(machine);
    const auto at = static_cast<std::int32_t>(all_.size());
    for (const std::size_t i : from) {
      if (has_own_cause(all_[i])) continue;
      all_[i].part_of = at;
      all_[i].level = std::min(all_[i].level, VerdictLevel::note);
    }
    all_.push_back(std::move(machine));
  }

  // Some of its requests were slow for a reason that the machine does not explain, and that matters by itself.
  static bool has_own_cause(const Verdict& v) {
    return std::ranges::any_of(v.by_cause, [&](const model::SlowCause& cause) {
      return cause.part.origin == Origin::service && level_of(cause.slow, v.typical) >= VerdictLevel::notable;
    });
  }

  // A burst counts for the stretch with which it has most in common.
  void count_into_episodes(const Burst& burst) {
    Burst* most = nullptr;
    std::int64_t longest = 0;
    for (Burst& e : study_.shortage.episodes) {
      const std::int64_t common = (std::min(e.to, burst.to) - std::max(e.from, burst.from)).count();
      if (common <= longest) continue;
      longest = common;
      most = &e;
    }
    if (most) most->requests += burst.requests;
  }

  static bool overlap(const Verdict& a, const Verdict& b) {
    for (const Burst& x : a.when)
      for (const Burst& y : b.when)
        if (nanoseconds(x.from) - slow::kBurstGap <= nanoseconds(y.to) &&
            nanoseconds(y.from) - slow::kBurstGap <= nanoseconds(x.to))
          return true;
    return false;
  }

  // The same thing delayed requests of several routes at the same times.
  void join_same_cause() {
    using Key = std::tuple<model::Label, std::uint64_t, std::string, model::TextId, model::TextId, std::uint32_t>;
    std::map<Key, std::vector<std::size_t>> same;
    for (std::size_t i = 0; i < all_.size(); ++i) {
      const Verdict& v = all_[i];
      if (v.scope != VerdictScope::route || v.kind != VerdictKind::tail || v.level == VerdictLevel::nothing ||
          v.part_of >= 0 || v.parts.empty() || v.parts.front().origin != Origin::service)
        continue;
      const VerdictPart& part = v.parts.front();
      const bool stopped = part.label == model::Label::sched_stopped;
      if (!part.who && !stopped) continue;
      Key key{part.label, 0, "", 0, 0, 0};
      if (part.who)
        key = {part.label,       part.who->what,  part.who->group.path,
               part.who->method, part.who->route, stopped ? part.who->tid : 0};
      same[key].push_back(i);
    }
    for (const auto& [key, members] : same) {
      if (members.size() < kLeastRoutes) continue;
      std::vector<std::size_t> together = {members.front()};
      for (std::size_t n = 1; n < members.size(); ++n)
        if (overlap(all_[members.front()], all_[members[n]])) together.push_back(members[n]);
      if (together.size() < kLeastRoutes) continue;
      join(together);
    }
  }

  void join(const std::vector<std::size_t>& together) {
    Verdict whole;
    whole.scope = VerdictScope::process;
    whole.kind = VerdictKind::tail;
    VerdictPart part = all_[together.front()].parts.front();
    double slow = 0, typical = 0, part_slow = 0, part_typical = 0;
    part.mainly = 0;
    std::vector<model::Crowd::Interval> bursts;
    for (const std::size_t i : together) {
      const Verdict& v = all_[i];
      note_requests(whole, v);
      const auto n = static_cast<double>(v.requests);
      slow += static_cast<double>(v.slow) * n;
      typical += static_cast<double>(v.typical) * n;
      part_slow += static_cast<double>(v.parts.front().slow) * n;
      part_typical += static_cast<double>(v.parts.front().typical) * n;
      part.mainly += v.parts.front().mainly;
      whole.level = std::max(whole.level, v.level);
      for (const Burst& b : v.when) bursts.push_back({nanoseconds(b.from), nanoseconds(b.to)});
    }
    const auto n = static_cast<double>(whole.requests);
    whole.slow = static_cast<std::int64_t>(slow / n);
    whole.typical = static_cast<std::int64_t>(typical / n);
    part.slow = static_cast<std::int64_t>(part_slow / n);
    part.typical = static_cast<std::int64_t>(part_typical / n);
    whole.parts.push_back(std::move(part));
    whole.when = slow::bursts_of(bursts);
    for (Burst& b : whole.when) {
      b.requests = 0;
      for (const std::size_t i : together)
        for (const Burst& of : all_[i].when)
          if (of.from >= b.from && of.from <= b.to) b.requests += of.requests;
    }
    whole.pattern = whole.when.size() == 1                                       ? model::Pattern::incident
                    : all_[together.front()].pattern == model::Pattern::incident ? model::Pattern::incidents
                                                                                 : all_[together.front()].pattern;
    whole.explained = static_cast<std::int64_t>((part_slow - part_typical));
    finish(whole);
    const auto at = static_cast<std::int32_t>(all_.size());
    for (const std::size_t i : together) {
      all_[i].part_of = at;
      all_[i].level = std::min(all_[i].level, VerdictLevel::note);
    }
    all_.push_back(std::move(whole));
  }

  const model::RequestTable& table_;
  const slow::Links* links_;
  model::Study& study_;
  std::vector<Verdict> all_;
};

}  // namespace

void conclude(const model::RequestTable& table, const slow::Links* links, model::Study& study) {
  Conclusion(table, links, study).run();
}

}  // namespace tailcap::tail::verdict
