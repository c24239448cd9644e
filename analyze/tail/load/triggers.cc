#include "analyze/tail/load/triggers.h"

#include <algorithm>
#include <array>
#include <deque>

#include "analyze/tail/changes/shift.h"
#include "analyze/tail/rows/standing.h"

namespace tailcap::tail::load {
namespace {

using changes::ChangeSide;
using changes::ShiftTest;
using formats::Duration;
using formats::Time;
using model::Trigger;

constexpr Duration kSecond{1'000'000'000};
constexpr std::size_t kStretches = 64;  // of a process; later ones are not looked at
constexpr std::array<double, 2> kTried = {0.99, 0.95};

struct Stretch {
  Time from, to;
  double busy = 0;
  bool processors = false;
};

std::vector<Stretch> busy_stretches(const model::GoStudy& go) {
  std::vector<Stretch> out;
  std::size_t seconds = 0;
  double sum = 0, goroutines = 0;
  const auto close = [&] {
    if (seconds >= kSustained) {
      out.back().busy = sum / static_cast<double>(seconds);
      out.back().processors = goroutines >= static_cast<double>(seconds) * go.limits.busy;
    } else if (seconds > 0) {
      out.pop_back();
    }
    seconds = 0;
    sum = 0;
    goroutines = 0;
  };
  for (const model::GoBusy& b : go.busy) {
    const double most = std::max(b.goroutines, b.threads);
    if (seconds > 0 && (most < go.limits.busy || b.from > out.back().to)) close();
    if (most < go.limits.busy) continue;
    if (seconds == 0) {
      if (out.size() >= kStretches) break;
      out.push_back({b.from, b.from});
    }
    ++seconds, sum += most, goroutines += std::max(b.goroutines, 0.0);
    out.back().to = b.from + kSecond;
  }
  close();
  return out;
}

struct Compared {
  ChangeSide side;
  std::vector<std::uint32_t> rows;  // of side.durations.in_order
};

void add(const model::RequestTable& table, std::uint32_t i, Time end, Compared& to) {
  const model::Request row = table.rows[i];
  if (to.side.durations.push(row, standing_of(row), end, to.side.shortfall)) to.rows.push_back(i);
}

using Sums = std::array<double, model::kLabels>;

// Means by label, of those that have a partition; false: none has.
bool means(const model::RequestTable& table, const std::vector<std::uint32_t>& rows, Sums& out) {
  out.fill(0);
  std::size_t n = 0;
  for (const std::uint32_t i : rows) {
    const auto parts = table.partitions.parts(table.rows.id(i));
    n += !parts.empty();
    for (const model::AccountPart& p : parts) out[static_cast<std::size_t>(p.label)] += static_cast<double>(p.time);
  }
  for (double& x : out) x /= static_cast<double>(std::max<std::size_t>(n, 1));
  return n > 0;
}

// Those with the longest durations first.
void longest_first(const model::RequestTable& table, std::vector<std::uint32_t>& rows) {
  std::ranges::stable_sort(
      rows, [&](std::uint32_t a, std::uint32_t b) { return table.rows.duration(a) > table.rows.duration(b); });
}

// The stretch that a moment lies in; stretches.size(): none.
std::size_t stretch_of(const std::vector<Stretch>& stretches, Time at) {
  const auto in = std::ranges::partition_point(stretches, [&](const Stretch& s) { return s.to <= at; });
  return in != stretches.end() && in->from <= at ? static_cast<std::size_t>(in - stretches.begin()) : stretches.size();
}

void explain(const model::RequestTable& table, const Compared& inside, const Compared& outside, Trigger& out) {
  std::vector<std::uint32_t> slow;
  for (std::size_t i = 0; i < inside.rows.size(); ++i)
    if (inside.side.durations.in_order[i] > out.latency.before.count()) slow.push_back(inside.rows[i]);
  longest_first(table, slow);
  for (std::size_t i = 0; i < std::min(slow.size(), Trigger::kRequests); ++i)
    out.requests.push_back(table.rows.id(slow[i]));
  Sums more, usual;
  if (!means(table, slow, more) || !means(table, outside.rows, usual)) return;
  std::size_t best = 0;
  for (std::size_t l = 1; l < model::kLabels; ++l)
    if (more[l] - usual[l] > more[best] - usual[best]) best = l;
  out.labelled = true;
  out.label = static_cast<model::Label>(best);
  out.label_time = static_cast<std::int64_t>(more[best]);
  out.label_typical = static_cast<std::int64_t>(usual[best]);
}

struct Candidate {
  Trigger trigger;
  ShiftTest comparison;
  Compared inside;
  const Compared* outside = nullptr;
};

}  // namespace

std::vector<std::uint32_t> perhaps_triggered(const model::RequestTable& table,
                                             const std::vector<const std::vector<std::uint32_t>*>& rows,
                                             const std::vector<model::GoStudy>& go, bool all) {
  std::vector<std::uint32_t> out;
  for (const model::GoStudy& process : go) {
    const std::vector<Stretch> stretches = busy_stretches(process);
    if (stretches.empty()) continue;
    for (const auto* route : rows) {
      if (route->empty() || table.rows.role(route->front()) != model::Role::server) continue;
      std::vector<std::vector<std::uint32_t>> inside(stretches.size());
      for (const std::uint32_t i : *route) {
        if (!formats::known(table.rows.start(i))) continue;
        const std::size_t in = stretch_of(stretches, table.rows.start(i));
        if (in == stretches.size()) continue;
        const model::Request row = table.rows[i];
        if (row.pid == process.pid && standing_of(row) == DurationStanding::clean) inside[in].push_back(i);
      }
      for (auto& slow : inside) {
        longest_first(table, slow);
        if (!all && slow.size() > Trigger::kRequests) slow.resize(Trigger::kRequests);
        out.insert(out.end(), slow.begin(), slow.end());
      }
    }
  }
  return out;
}

void find_triggers(const model::RequestTable& table, const std::vector<const std::vector<std::uint32_t>*>& rows,
                   model::Study& study) {
  study.triggers.clear();
  std::deque<Candidate> all;
  std::deque<Compared> rests;
  for (const model::GoStudy& go : study.go) {
    const std::vector<Stretch> stretches = busy_stretches(go);
    if (stretches.empty()) continue;
    for (std::uint32_t r = 0; r < rows.size(); ++r) {
      if (rows[r]->empty() || table.rows.role(rows[r]->front()) != model::Role::server) continue;
      std::vector<Compared> inside(stretches.size());
      Compared& outside = rests.emplace_back();
      double busy_seconds = 0;
      for (std::size_t s = 0; s < stretches.size(); ++s) {
        inside[s].side.shortfall.seconds = static_cast<double>((stretches[s].to - stretches[s].from).count()) * 1e-9;
        busy_seconds += inside[s].side.shortfall.seconds;
      }
      outside.side.shortfall.seconds =
          std::max(0.0, static_cast<double>((study.end - study.begin).count()) * 1e-9 - busy_seconds);
      for (const std::uint32_t i : *rows[r]) {
        if (table.rows[i].pid != go.pid || !formats::known(table.rows.start(i))) continue;
        const std::size_t in = stretch_of(stretches, table.rows.start(i));
        add(table, i, study.end, in < stretches.size() ? inside[in] : outside);
      }
      if (outside.rows.empty()) continue;
      const Sample rest = changes::sample_of(outside.side);
      for (std::size_t s = 0; s < stretches.size(); ++s) {
        if (inside[s].rows.empty()) continue;
        const Sample busy = changes::sample_of(inside[s].side);
        Candidate& c = all.emplace_back();
        c.trigger.pid = go.pid;
        c.trigger.route = r;
        c.trigger.from = stretches[s].from;
        c.trigger.to = stretches[s].to;
        c.trigger.busy = stretches[s].busy;
        c.trigger.processors = stretches[s].processors;
        c.trigger.inside = inside[s].rows.size();
        c.trigger.outside = outside.rows.size();
        for (const double q : kTried) {
          c.trigger.quantile = q;
          c.comparison = changes::difference(outside.side, rest, inside[s].side, busy, q);
          if (c.comparison.shift.interval) break;
        }
        model::Shift& shift = c.comparison.shift;
        if (shift.interval && shift.reason.empty() &&
            (shift.difference().count() < kSurgeGap ||
             static_cast<double>(shift.after.count()) < kSurge * static_cast<double>(shift.before.count())))
          shift.reason = "it is less than 1.5 times slower";
        c.inside = std::move(inside[s]);
        c.outside = &outside;
      }
    }
  }
  std::vector<ShiftTest*> comparisons;
  for (Candidate& c : all) comparisons.push_back(&c.comparison);
  changes::decide(comparisons);
  for (Candidate& c : all) {
    if (c.comparison.shift.verdict != model::ShiftVerdict::shifted) continue;
    c.trigger.latency = std::move(c.comparison.shift);
    explain(table, c.inside, *c.outside, c.trigger);
    study.triggers.push_back(std::move(c.trigger));
  }
  std::stable_sort(study.triggers.begin(), study.triggers.end(),
                   [](const Trigger& a, const Trigger& b) { return a.latency.difference() > b.latency.difference(); });
}

}  // namespace tailcap::tail::load
