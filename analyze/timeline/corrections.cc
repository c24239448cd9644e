#include "analyze/timeline/corrections.h"

#include <algorithm>

namespace tailcap::timeline {
namespace {

// Late waits are rare: a few per loss. At this many (7 MiB) the capture is full of holes or crafted.
constexpr std::size_t kMaxLate = 128u << 10;
constexpr std::size_t kMaxSpans = 64u << 10;
// Comparisons of a row with a late wait, in all; beyond it rows give up their thread time.
constexpr std::uint64_t kMaxSteps = 100'000'000;

constexpr auto kOnCpu = static_cast<std::size_t>(flow::ThreadTime::on_cpu);
constexpr auto kUnknown = static_cast<std::size_t>(flow::ThreadTime::unknown);

void give_up(flow::Request& row) {
  row.has_thread_time = false;
  row.thread_time.fill(0);
  row.taints = row.taints | flow::Taint::waits_lost;
}

}  // namespace

void Corrections::add(std::uint32_t tid, const Wait& wait, std::uint64_t measured) {
  if (late_.size() < kMaxLate) {
    late_.push_back({tid, measured, wait});
    return;
  }
  if (dropped_.to == 0) dropped_ = {wait.left, wait.back};
  dropped_ = {std::min(dropped_.from, wait.left), std::max(dropped_.to, wait.back)};
}

void Corrections::add_blind(std::int64_t from, std::int64_t to, bool counted) {
  auto& spans = counted ? counted_ : blind_;
  if (from <= 0 || from > to) from = to;  // since when is not known: at least at this moment
  if (!spans.empty() && spans.size() >= kMaxSpans) {
    spans.back() = {std::min(spans.back().from, from), std::max(spans.back().to, to)};
    return;
  }
  spans.push_back({from, to});
}

void Corrections::join(std::vector<Span>& spans) {
  std::sort(spans.begin(), spans.end(), [](const Span& a, const Span& b) { return a.from < b.from; });
  std::size_t n = 0;
  for (const Span& s : spans) {
    if (n > 0 && s.from <= spans[n - 1].to)
      spans[n - 1].to = std::max(spans[n - 1].to, s.to);
    else
      spans[n++] = s;
  }
  spans.resize(n);
}

bool Corrections::touches(const std::vector<Span>& spans, std::int64_t from, std::int64_t to) {
  const auto after =
      std::upper_bound(spans.begin(), spans.end(), to, [](std::int64_t t, const Span& s) { return t < s.from; });
  return after != spans.begin() && std::prev(after)->to >= from;
}

void Corrections::apply(flow::RequestTable& table, flow::Findings& findings,
                        const std::function<std::int64_t(std::uint32_t)>& last_back) {
  join(blind_);
  join(counted_);
  if (late_.empty() && blind_.empty() && counted_.empty()) return;
  std::stable_sort(late_.begin(), late_.end(), [](const Late& a, const Late& b) {
    return a.tid != b.tid ? a.tid < b.tid : a.wait.left < b.wait.left;
  });
  std::uint64_t steps = 0;
  for (std::uint64_t me = 0; me < table.rows.size(); ++me) {
    if (!table.rows.has_duration(me)) continue;
    const flow::Request before = table.rows[me];
    if (!before.has_thread_time) continue;
    flow::Request row = before;
    const std::int64_t start = formats::nanoseconds(row.start), end = start + row.duration.count();
    // The thread did not come back after the loss to tell what it had lost.
    const bool silent = touches(counted_, start, end) && last_back(row.tid) < end;
    if (silent || touches(blind_, start, end) || steps > kMaxSteps ||
        (dropped_.to > 0 && dropped_.from < end && start < dropped_.to)) {
      if (steps > kMaxSteps) findings.add(flow::Finding::waits_dropped);
      give_up(row);
      table.rows.set(me, row);
      continue;
    }
    auto late = std::lower_bound(late_.begin(), late_.end(), row.tid,
                                 [](const Late& l, std::uint32_t tid) { return l.tid < tid; });
    for (; late != late_.end() && late->tid == row.tid && late->wait.left < end; ++late) {
      ++steps;
      if (me >= late->measured) continue;
      Sums sums{};
      add_overlap(late->wait, start, end, sums);
      if (sums[kLostWaits] > 0) row.taints = row.taints | flow::Taint::waits_lost;
      sums[kUnknown] += sums[kLostWaits];
      for (std::size_t i = 0; i < flow::kThreadTimes; ++i) {
        // Before this it counted as on the CPU; what is not there any more was taken by another late wait.
        const std::int64_t moved = std::min<std::int64_t>(sums[i], row.thread_time[kOnCpu]);
        row.thread_time[i] += moved;
        row.thread_time[kOnCpu] -= moved;
      }
    }
    if (row != before) table.rows.set(me, row);
  }
}

}  // namespace tailcap::timeline
