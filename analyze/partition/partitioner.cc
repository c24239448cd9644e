#include "analyze/partition/partitioner.h"

#include <algorithm>
#include <map>

#include "analyze/partition/by_goroutine.h"
#include "analyze/partition/by_thread.h"
#include "analyze/partition/by_turns.h"
#include "analyze/partition/calls.h"
#include "analyze/partition/course_book.h"
#include "analyze/partition/files.h"
#include "analyze/partition/running.h"

namespace tailcap::partition {
namespace {

using model::ExchangeId;
using model::Finding;
using model::Label;

// Events of a request come at most this much later than others of the same time: blocks are closed every 250 ms.
constexpr Nanos kLate = 1'000'000'000;
// How much is kept from before the oldest request under way: the batch, or the wait, in which it began.
constexpr Nanos kBefore = 1'000'000'000;
constexpr std::uint32_t kEvery = 8192;  // events between two looks at what can be finished
constexpr std::size_t kMaxWrong = 10;
constexpr Nanos kWorthALook = 100'000;   // shorter stretches are not compared with waits for a CPU
constexpr std::size_t kMaxBlockers = 4;  // of a label in one request
constexpr std::size_t kMaxFollowed = 1000;
constexpr std::size_t kMaxExemplars = 200'000;  // with the calls below them

std::unordered_set<std::uint32_t> pids_of(const model::RequestTable& table) {
  std::unordered_set<std::uint32_t> pids;
  for (const model::Request row : table.rows)
    if (row.pid != 0) pids.insert(row.pid);
  return pids;
}

}  // namespace

struct Partitioner::Impl {
  Impl(const model::RequestTable& table, std::vector<ExchangeNote> notes, std::span<const ByteCarrier> carriers)
      : windows(table, std::move(notes)), observed(windows, carriers, pids_of(table)) {}

  const Windows windows;
  Observed observed;
  std::size_t next = 0;  // in windows.by_end()
  std::uint32_t pushed = 0;
  model::Partitions done;
  std::vector<ExchangeId> wrong;
  CourseBook book;
  bool with_files = false;
  std::vector<model::FileCalls> files;
  model::Findings findings;
  Draft draft;  // its memory is used again
  std::vector<model::Part> parts;
  std::vector<model::Culprit> culprits;

  DraftContext known() const { return {windows, observed}; }

  Nanos end_of(std::uint32_t row) const {
    const auto& rows = windows.table().rows;
    return formats::nanoseconds(rows.start(row) + rows.duration(row));
  }

  void advance(Nanos until) {
    const auto rows = windows.by_end();
    while (next < rows.size() && end_of(rows[next]) < until) finish(rows[next++]);
    observed.forget_before(std::min(windows.began(next), until) - kBefore);
    if (!observed.full()) return;
    // A request lasts too long: the older half is dropped.
    findings.add(Finding::waits_dropped);
    const Nanos oldest = observed.forgotten_until();
    observed.forget_before(oldest + (observed.now() - oldest) / 2);
  }

  // Finds the carrier; the method depends on the kind of program.
  void carry(std::span<const Call> calls) {
    const DraftContext k = known();
    const Window& w = draft.w;
    const std::vector<Act> acts = acts_of(k, w);
    std::uint64_t goroutine = 0;
    std::uint32_t only = w.tid;
    for (const Act& a : acts) {
      if (a.tid != only) only = 0;
      // The one that sent the response's first byte; before it is found, any.
      if (a.goroutine != 0 && (goroutine == 0 || (w.server() && a.out && a.time == w.third))) goroutine = a.goroutine;
    }
    const ProcessLog* process = observed.process(w.pid);
    if (process && process->go) {
      const std::uint64_t handler = w.streams ? windows.table().handler_goroutines.find(w.id) : 0;
      if (handler != 0 || !w.streams) draft.goroutine = handler != 0 ? handler : goroutine;
      return add_by_goroutine(k, {handler != 0 ? handler : goroutine, handler != 0}, calls, draft);
    }
    const ThreadLog* log = only != 0 ? observed.thread(only) : nullptr;
    if (log && log->multiplexes) return add_by_turns(k, only, calls, draft);
    add_by_thread(k, calls, draft);
  }

  void finish(std::uint32_t row) {
    draft.w = windows.window(row);
    draft.conditions.clear();
    draft.behind.clear();
    draft.carried.clear();
    draft.goroutine = 0;
    if (!draft.w.phases || draft.w.stretches == 0) return;
    const std::vector<Call> calls = calls_of(known(), draft);
    carry(calls);
    pipelined();
    unable(calls);
    halted();
    add_lost(known(), calls, draft);
    const std::vector<Condition> pieces = sweep(draft.w.from, draft.w.to, draft.conditions);
    cut(pieces);
    blame(pieces);
    check();
    done.add(draft.w.id, parts, culprits);
    if (book.empty()) return;
    book.add(windows, draft, pieces, calls, culprits);
    if (!with_files || !book.follows(row)) return;
    if (model::FileCalls used = files_of(known(), draft); !used.empty()) files.push_back(std::move(used));
  }

  // The request was not noticed, or not worked on, because the process was stopped.
  void halted() {
    const ProcessLog* process = observed.process(draft.w.pid);
    if (!process || process->halts.empty()) return;
    const auto unnoticed = [](Label l) {
      return l == Label::q_notice || l == Label::q_accept || l == Label::q_loop || l == Label::q_pool;
    };
    process->halts.each(draft.w.from, draft.w.to, [&](const Halt& halt) {
      for (std::size_t i = 0, n = draft.conditions.size(); i < n; ++i) {
        Condition c = draft.conditions[i];
        if (!unnoticed(c.label) || c.to <= halt.time || c.from >= halt.to) continue;
        draft.add(std::max(c.from, halt.time), std::min(c.to, halt.to), Label::sched_stopped, model::Evidence::inferred,
                  halt.by != 0 ? draft.who(0, {}, halt.by) : 0);
        draft.add(halt.to, c.to, c.label, c.evidence, c.behind);
        draft.conditions[i].to = std::clamp(halt.time, c.from, c.to);
      }
    });
    std::erase_if(draft.conditions, [](const Condition& c) { return c.from >= c.to; });
  }

  // Behind an unfinished predecessor on its connection.
  void pipelined() {
    for (std::size_t i = 0; i < draft.w.stretches; ++i) {
      const auto& s = draft.w.stretch[i];
      if (s.phase != model::Phase::pipelined) continue;
      ExchangeId before = draft.w.id;
      --before.index;
      draft.add(s.from, s.to, Label::q_hol_h1, model::Evidence::measured, draft.who(0, before));
    }
  }

  // Conditions that need no carrier: a client-side request goes on when its answer is there, and HTTP/2 permits no
  // sending beyond the peer's window.
  void unable(std::span<const Call> calls) {
    const Window& w = draft.w;
    if (!w.server() && !calls.empty())
      add_down(known(), calls.front(), w.first, w.second, model::Evidence::measured, draft);
    const ExchangeNote* note = windows.note(w.id);
    if (!note) return;
    for (const auto& held : note->held_up) {
      const Nanos from = formats::nanoseconds(held.from), to = formats::nanoseconds(held.to);
      if (w.server())
        draft.add(std::max(from, w.third), to, Label::send_h2fc);
      else
        draft.add(from, std::min(to, w.first), Label::down_h2fc, model::Evidence::measured,
                  calls.empty() ? 0 : calls.front().who);
    }
  }

  // Pieces and phases are both in order of time.
  void cut(const std::vector<Condition>& pieces) {
    struct Sum {
      Nanos time = 0, crowded = 0;
    };
    std::map<std::tuple<model::Phase, Label, model::Evidence>, Sum> sums;
    std::size_t s = 0;
    for (const Condition& p : pieces) {
      for (Nanos at = p.from; at < p.to;) {
        while (s + 1 < draft.w.stretches && draft.w.stretch[s].to <= at) ++s;
        const Nanos until = s + 1 < draft.w.stretches ? std::min(p.to, draft.w.stretch[s].to) : p.to;
        Sum& sum = sums[{draft.w.stretch[s].phase, p.label, p.evidence}];
        sum.time += until - at;
        if (until - at >= kWorthALook) sum.crowded += observed.crowd().within(at, until);
        at = until;
      }
    }
    parts.clear();
    for (const auto& [what, sum] : sums)
      parts.push_back({std::get<0>(what), std::get<1>(what), std::get<2>(what),
                       static_cast<std::uint8_t>(255 * sum.crowded / sum.time), sum.time});
  }

  // For each label, the blockers with the most time, most first.
  void blame(const std::vector<Condition>& pieces) {
    std::map<std::pair<Label, std::uint32_t>, Nanos> sums;
    for (const Condition& p : pieces)
      if (p.behind != 0) sums[{p.label, p.behind}] += p.to - p.from;
    culprits.clear();
    for (const auto& [what, time] : sums) {
      model::Culprit c = draft.behind[what.second - 1];
      if (c.what == 0 && c.request.connection == 0 && c.tid == 0) continue;
      c.label = what.first;
      c.time = time;
      culprits.push_back(c);
    }
    std::stable_sort(culprits.begin(), culprits.end(), [](const model::Culprit& a, const model::Culprit& b) {
      return a.label != b.label ? a.label < b.label : a.time > b.time;
    });
    std::size_t of_label = 0, kept = 0;
    for (std::size_t i = 0; i < culprits.size(); ++i) {
      of_label = i > 0 && culprits[i].label == culprits[i - 1].label ? of_label + 1 : 0;
      if (of_label < kMaxBlockers) culprits[kept++] = culprits[i];
    }
    culprits.resize(kept);
  }

  void check() {
    const model::Request r = windows.table().rows[draft.w.row];
    std::array<Nanos, model::kPhases> phases{};
    Nanos sum = 0;
    bool right = true;
    for (const model::Part& p : parts) {
      phases[static_cast<std::size_t>(p.phase)] += p.time;
      sum += p.time;
      right = right && p.time > 0;
    }
    const auto names = model::phases_of(r.role);
    for (std::size_t i = 0; i < names.size(); ++i)
      right = right && phases[static_cast<std::size_t>(names[i])] == r.phases[i];
    if (right && sum == r.duration.count()) return;
    findings.add(Finding::partition_mismatch);
    if (wrong.size() < kMaxWrong) wrong.push_back(r.id);
  }
};

Partitioner::Partitioner(const model::RequestTable& table, std::vector<ExchangeNote> notes,
                         std::span<const ByteCarrier> carriers)
    : impl_(std::make_unique<Impl>(table, std::move(notes), carriers)) {}
Partitioner::Partitioner(Partitioner&&) noexcept = default;
Partitioner::~Partitioner() = default;

void Partitioner::follow(ExchangeId id) {
  impl_->book.follow(impl_->windows, id, CourseBook::Culprits::leave, kMaxFollowed);
  impl_->with_files = true;
  impl_->observed.keep_files();
}

void Partitioner::follow_likely(const std::vector<std::uint32_t>& rows) {
  for (const std::uint32_t row : rows)
    impl_->book.follow(impl_->windows, impl_->windows.table().rows.id(row), CourseBook::Culprits::keep, kMaxExemplars);
}

void Partitioner::push(const formats::Event& event) {
  impl_->observed.push(event);
  if (++impl_->pushed % kEvery == 0) impl_->advance(impl_->observed.now() - kLate);
}

model::Partitions Partitioner::take() {
  impl_->advance(INT64_MAX);
  impl_->done.sort();
  impl_->done.set_groups(impl_->observed.groups());
  return std::move(impl_->done);
}

model::Crowd Partitioner::take_crowd() { return impl_->observed.take_crowd(); }

CourseBook Partitioner::take_courses() { return std::move(impl_->book); }

std::vector<model::FileCalls> Partitioner::take_files() {
  std::sort(impl_->files.begin(), impl_->files.end(),
            [](const auto& a, const auto& b) { return a.request < b.request; });
  return std::move(impl_->files);
}

const std::vector<ExchangeId>& Partitioner::wrong() const { return impl_->wrong; }

model::Findings Partitioner::findings() const {
  model::Findings all = impl_->findings;
  all.add(impl_->observed.findings());
  return all;
}

}  // namespace tailcap::partition
