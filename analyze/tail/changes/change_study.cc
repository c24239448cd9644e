#include "analyze/tail/changes/change_study.h"

#include <algorithm>
#include <deque>

#include "analyze/tail/changes/shift.h"
#include "analyze/tail/rows/standing.h"

namespace tailcap::tail::changes {
namespace {

using formats::Time;
using model::RouteShift;
using model::ShiftVerdict;

struct Compared {
  RouteShift shift;
  ShiftTest median, p99;
};

// Requests that began in [from, to).
ChangeSide side_of(const model::RequestTable& table, const std::vector<std::uint32_t>& rows, Time from, Time to) {
  ChangeSide out;
  out.shortfall.seconds = static_cast<double>((to - from).count()) * 1e-9;
  for (auto at =
           std::partition_point(rows.begin(), rows.end(), [&](std::uint32_t i) { return table.rows.start(i) < from; });
       at != rows.end() && table.rows.start(*at) < to; ++at) {
    const model::Request row = table.rows[*at];
    out.durations.push(row, standing_of(row), to, out.shortfall);
  }
  return out;
}

// What is sure of the difference.
std::int64_t sure(const model::Shift& s) {
  if (s.verdict != ShiftVerdict::shifted) return 0;
  return std::min(std::abs(s.low.count()), std::abs(s.high.count()));
}

std::int64_t sure(const RouteShift& s) { return std::max(sure(s.median), sure(s.p99)); }

}  // namespace

void study_changes(const model::RequestTable& table, const std::vector<const std::vector<std::uint32_t>*>& rows,
                   model::Study& study) {
  model::ChangeStudy& out = study.changes;
  out.shifts.clear();
  std::vector<std::uint32_t> meant;  // what lies in the stretch of time that is looked at
  for (std::uint32_t i = 0; i < out.changes.size(); ++i)
    if (out.changes[i].at > study.begin && out.changes[i].at < study.end) meant.push_back(i);
  std::deque<Compared> all;
  const std::size_t first = meant.size() - std::min(meant.size(), model::ChangeStudy::kCompared);
  for (std::size_t m = first; m < meant.size(); ++m) {
    const Time at = out.changes[meant[m]].at;
    const Time from = m == 0 ? study.begin : out.changes[meant[m - 1]].at,
               to = m + 1 == meant.size() ? study.end : out.changes[meant[m + 1]].at;
    for (std::uint32_t r = 0; r < rows.size(); ++r) {
      const ChangeSide before = side_of(table, *rows[r], from, at), after = side_of(table, *rows[r], at, to);
      Compared& c = all.emplace_back();
      c.shift.change = meant[m];
      c.shift.route = r;
      c.shift.from = from;
      c.shift.to = to;
      c.shift.before = before.durations.in_order.size();
      c.shift.after = after.durations.in_order.size();
      if (before.durations.in_order.empty() || after.durations.in_order.empty()) {
        for (ShiftTest* q : {&c.median, &c.p99})
          q->shift.reason =
              before.durations.in_order.empty() ? "there are no requests before it" : "there are no requests after it";
        continue;
      }
      const Sample b = sample_of(before), a = sample_of(after);
      c.median = compare(before, b, after, a, 0.5);
      c.p99 = compare(before, b, after, a, 0.99);
    }
  }
  std::vector<ShiftTest*> comparisons;
  for (Compared& c : all) {
    comparisons.push_back(&c.median);
    comparisons.push_back(&c.p99);
  }
  decide(comparisons);
  for (Compared& c : all) {
    c.shift.median = std::move(c.median.shift);
    c.shift.p99 = std::move(c.p99.shift);
    out.shifts.push_back(std::move(c.shift));
  }
  std::stable_sort(out.shifts.begin(), out.shifts.end(), [](const RouteShift& a, const RouteShift& b) {
    if (a.shifted() != b.shifted()) return a.shifted();
    if (sure(a) != sure(b)) return sure(a) > sure(b);
    return a.before + a.after > b.before + b.after;
  });
}

}  // namespace tailcap::tail::changes
