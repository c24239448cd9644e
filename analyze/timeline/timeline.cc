#include "analyze/timeline/timeline.h"

#include <algorithm>
#include <cassert>
#include <deque>
#include <numeric>
#include <unordered_map>

#include "analyze/timeline/corrections.h"
#include "analyze/timeline/milestones.h"
#include "analyze/timeline/thread_waits.h"
#include "analyze/timeline/wait_kind.h"

namespace tailcap::timeline {
namespace {

using flow::Finding;
using flow::ThreadTime;
using formats::Event;
using formats::known;
using formats::nanoseconds;
using formats::Time;

// 256 k waits in 32 bytes: 8 MiB. At 50,000 waits a second the last five seconds; older windows say "unknown".
constexpr std::size_t kMaxWaits = 256u << 10;
// Threads remembered in all, and after their end (their last exchanges may still be measured).
constexpr std::size_t kMaxThreads = 64u << 10;
constexpr std::size_t kMaxEnded = 1024;

constexpr auto kOnCpu = static_cast<std::size_t>(ThreadTime::on_cpu);
constexpr auto kUnknown = static_cast<std::size_t>(ThreadTime::unknown);
constexpr auto kOffCpuKind = static_cast<std::uint8_t>(formats::Kind::off_cpu);

struct History {
  ThreadWaits waits;
  std::int64_t born = 0;            // its start was seen; 0: it was not
  std::int64_t tracked_since = 0;   // it left the CPU for the first time we know of; 0: never yet
  std::int64_t measured_until = 0;  // the latest window measured so far
  bool ended = false;
};

}  // namespace

struct Timeline::Impl {
  std::unordered_map<std::uint32_t, History> threads;  // by tid; references stay valid
  std::deque<std::uint32_t> ended;
  std::uint32_t last_tid = 0;
  History* last = nullptr;
  std::size_t total_waits = 0;
  bool waits_recorded = false;  // this capture has off-CPU intervals at all
  std::uint64_t measured = 0;
  Corrections corrections;
  flow::Findings findings;

  History* find(std::uint32_t tid) {
    if (tid == last_tid && last) return last;
    const auto it = threads.find(tid);
    if (it == threads.end()) return nullptr;
    last_tid = tid;
    return last = &it->second;
  }

  History* find_or_add(std::uint32_t tid) {
    if (History* h = find(tid)) return h;
    if (threads.size() >= kMaxThreads) {
      findings.add(Finding::waits_dropped);
      return nullptr;
    }
    last_tid = tid;
    return last = &threads[tid];
  }

  void erase(std::uint32_t tid) {
    const auto it = threads.find(tid);
    if (it == threads.end()) return;
    total_waits -= it->second.waits.size();
    last = nullptr;
    threads.erase(it);
  }

  void keep(History& h, std::uint32_t tid, Wait wait) {
    const std::int64_t left = wait.left;
    const std::size_t before = h.waits.size();
    const Wait kept = h.waits.add(wait);
    if (kept.left != left || kept.left >= kept.back) findings.add(Finding::negative_interval);
    total_waits += h.waits.size() - before;
    if (kept.left < kept.back && kept.left < h.measured_until) corrections.add(tid, kept, measured);
    if (total_waits > kMaxWaits) shrink();
  }

  void shrink() {
    for (auto& [tid, h] : threads) total_waits -= h.waits.forget_half();
  }

  void off_cpu(const Event& event, const formats::OffCpu& off) {
    waits_recorded = true;
    const std::uint32_t tid = event.thread.tid;
    if (tid == 0) return;  // idle, or no thread meant
    History* h = find_or_add(tid);
    if (!h) return;
    const std::int64_t left = nanoseconds(off.left), back = nanoseconds(event.time);
    if (left <= 0 || back < left) {
      findings.add(Finding::negative_interval);
      return;
    }
    if (off.missed > 0) {
      // Something between its last wait and this one is missing: nobody knows what it did in between.
      const std::int64_t since = std::max({h->waits.last_back(), h->born, std::int64_t{1}});
      if (since < left) keep(*h, tid, {since, left, left, kLostWaits});
    }
    if (h->tracked_since == 0 || left < h->tracked_since) h->tracked_since = left;
    Wait wait{left, nanoseconds(off.runnable), back, static_cast<std::uint8_t>(wait_kind(off))};
    if (preempted(off)) {
      wait.runnable = left;
    } else if (!known(off.runnable)) {
      // How long it waited and how long it queued for a CPU cannot be told apart.
      wait.runnable = back;
      wait.what = static_cast<std::uint8_t>(ThreadTime::unknown);
    }
    keep(*h, tid, wait);
  }

  void task_start(const Event& event) {
    const std::uint32_t tid = event.thread.tid;
    if (tid == 0) return;
    erase(tid);  // the number is used again
    if (History* h = find_or_add(tid)) h->born = nanoseconds(event.time);
  }

  void task_exit(const Event& event) {
    History* h = find(event.thread.tid);
    if (!h || h->ended) return;
    h->ended = true;
    ended.push_back(event.thread.tid);
    if (ended.size() <= kMaxEnded) return;
    const auto it = threads.find(ended.front());
    if (it != threads.end() && it->second.ended) erase(ended.front());
    ended.pop_front();
  }

  void push(const Event& event) {
    if (const auto* off = std::get_if<formats::OffCpu>(&event.body)) return off_cpu(event, *off);
    if (std::holds_alternative<formats::TaskStart>(event.body)) return task_start(event);
    if (std::holds_alternative<formats::TaskExit>(event.body)) return task_exit(event);
    if (const auto* loss = std::get_if<formats::Loss>(&event.body)) {
      if (loss->kind != kOffCpuKind && loss->kind != 255) return;
      // A full ring is counted on the thread itself (OffCpu::missed); every other loss is not.
      corrections.add_blind(nanoseconds(loss->since), nanoseconds(event.time),
                            loss->cause == formats::LossCause::ring_full && loss->kind == kOffCpuKind);
    } else if (const auto* damage = std::get_if<formats::Damage>(&event.body)) {
      corrections.add_blind(nanoseconds(damage->since), nanoseconds(event.time), false);
    }
  }

  // Since when it is known when this thread was off the CPU; 0: it is not.
  std::int64_t known_since(const History& h, std::int64_t ran_at) const {
    std::int64_t since = h.tracked_since;
    if (h.born != 0 && waits_recorded) {
      // Followed from birth, but whether it ran at once is not recorded; when it made a call, it ran.
      const std::int64_t seen = std::max(h.born, ran_at);
      since = since == 0 ? seen : std::min(since, seen);
    }
    return since == 0 ? 0 : std::max(since, h.waits.forgotten_until());
  }

  void measure_thread(const flow::Exchange& e, flow::Request& row, std::int64_t start, std::int64_t end) {
    if (e.reader.tid == 0 || e.reader.tid != e.writer.tid) {
      findings.add(Finding::thread_unknown);
      return;
    }
    History* h = find(e.reader.tid);
    if (!h) return;
    const std::int64_t since = known_since(*h, nanoseconds(e.request.first_done));
    if (since > start && since == h->waits.forgotten_until()) findings.add(Finding::waits_dropped);
    if (since == 0 || since >= end) return;
    Sums sums{};
    const std::int64_t from = std::max(start, since);
    h->waits.add_sums(from, end, sums);
    h->measured_until = std::max(h->measured_until, end);
    sums[kUnknown] += sums[kLostWaits] + (from - start);
    if (sums[kLostWaits] > 0) row.taints = row.taints | flow::Taint::waits_lost;
    sums[kOnCpu] = 0;
    sums[kOnCpu] = (end - start) - std::accumulate(sums.begin(), sums.end() - 1, std::int64_t{0});
    assert(sums[kOnCpu] >= 0);  // waits never overlap
    for (std::size_t i = 0; i < flow::kThreadTimes; ++i) row.thread_time[i] = sums[i];
    row.has_thread_time = true;
  }
};

Timeline::Timeline() : impl_(std::make_unique<Impl>()) {}
Timeline::~Timeline() = default;

void Timeline::push(const Event& event) { impl_->push(event); }

void Timeline::measure(const flow::Exchange& exchange, flow::Request& row) {
  ++impl_->measured;
  const Milestones m = milestones(exchange);
  row.taints |= exchange.taints | m.taints;
  if (m.reordered) impl_->findings.add(Finding::negative_interval);
  row.start = formats::time_from(m.start);
  row.first_byte = formats::Duration{m.first_byte.value_or(-1)};
  row.has_duration = m.end.has_value();
  row.has_phases = row.has_thread_time = false;
  if (!m.end) return;
  row.duration = formats::Duration{*m.end - m.start};
  if (m.phases) {
    row.has_phases = std::accumulate(m.phases->begin(), m.phases->end(), std::int64_t{0}) == row.duration.count();
    if (row.has_phases)
      row.phases = *m.phases;
    else
      impl_->findings.add(Finding::partition_mismatch);
  }
  impl_->measure_thread(exchange, row, m.start, *m.end);
}

void Timeline::forget_before(Time t) {
  for (auto& [tid, h] : impl_->threads) impl_->total_waits -= h.waits.forget_before(nanoseconds(t));
}

void Timeline::settle(flow::RequestTable& table) {
  impl_->corrections.apply(table, impl_->findings, [this](std::uint32_t tid) {
    const History* h = impl_->find(tid);
    return h ? h->waits.last_back() : 0;
  });
}

std::vector<Stretch> Timeline::stretches(const flow::Request& row) const {
  std::vector<Stretch> out;
  const History* h = row.has_thread_time ? impl_->find(row.tid) : nullptr;
  if (!h) return out;
  const std::int64_t start = nanoseconds(row.start), end = start + row.duration.count();
  std::int64_t now = start;
  const auto until = [&](std::int64_t to, ThreadTime what) {
    to = std::min(to, end);
    if (to <= now) return;
    out.push_back({formats::time_from(now), formats::time_from(to), what});
    now = to;
  };
  until(impl_->known_since(*h, nanoseconds(row.start)), ThreadTime::unknown);
  h->waits.visit(now, end, [&](const Wait& w) {
    until(w.left, ThreadTime::on_cpu);
    until(w.runnable, w.what == kLostWaits ? ThreadTime::unknown : static_cast<ThreadTime>(w.what));
    until(w.back, ThreadTime::runnable);
  });
  until(end, ThreadTime::on_cpu);
  return out;
}

const flow::Findings& Timeline::findings() const { return impl_->findings; }

}  // namespace tailcap::timeline
