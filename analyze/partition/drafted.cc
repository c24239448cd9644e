#include "analyze/partition/drafted.h"

#include <algorithm>

#include "analyze/partition/by_goroutine.h"
#include "analyze/partition/by_thread.h"
#include "analyze/partition/by_turns.h"
#include "analyze/partition/draft/running.h"

namespace tailcap::partition {
namespace {

using model::ExchangeId;
using model::Label;

struct Drafting {
  const DraftContext& k;
  Draft& draft;

  // Finds the carrier; the method depends on the kind of program.
  void carry(std::span<const Call> calls) {
    const Window& w = draft.w;
    const Acts acts = acts_of(k, w);
    std::uint64_t goroutine = 0;
    std::uint32_t only = w.tid;
    for (const Act& a : acts) {
      if (a.tid != only) only = 0;
      // The one that sent the response's first byte; before it is found, any.
      if (a.goroutine != 0 && (goroutine == 0 || (w.server() && a.out && a.time == w.third))) goroutine = a.goroutine;
    }
    if (paused(acts)) return w.server() ? add_without_waits(k, calls, acts, draft) : void();
    const ProcessLog* process = k.observed.process(w.pid);
    if (process && process->go) {
      const std::uint64_t handler = w.streams ? k.windows.table().handler_goroutines.find(w.id) : 0;
      if (handler != 0 || !w.streams) draft.goroutine = handler != 0 ? handler : goroutine;
      return add_by_goroutine(k, {handler != 0 ? handler : goroutine, handler != 0}, calls, draft);
    }
    const ThreadLog* log = only != 0 ? k.observed.thread(only) : nullptr;
    if (log && log->multiplexes) return add_by_turns(k, only, calls, draft);
    add_by_thread(k, calls, draft);
  }

  // Off-CPU intervals were not recorded for a time that is the request's, or may be: one may have gone on after a
  // pause.
  bool paused(const Acts& acts) const {
    if (!k.observed.waits_left_out()) return false;
    const Window& w = draft.w;
    return k.observed.waits_left_out(w.from, w.to) || std::any_of(acts.begin(), acts.end(), [&](const Act& a) {
             const ThreadLog* log = k.observed.thread(a.tid);
             return log && log->born < w.from && k.observed.waits_left_out(*log, w.from, w.to);
           });
  }

  // The request was not noticed, or not worked on, because the process was stopped.
  void halted() {
    const ProcessLog* process = k.observed.process(draft.w.pid);
    if (!process) return;
    process->halts.each(draft.w.from, draft.w.to, [&](const Halt& halt) {
      unnoticed(halt.time, halt.to, Label::sched_stopped,
                halt.by != 0 || halt.group != 0 ? draft.who(halt.group, {}, halt.by) : 0);
    });
    process->vm_stops.each(draft.w.from, draft.w.to, [&](const TimeSpan& stop) {
      unnoticed(stop.time, stop.to, Label::runtime_stw, draft.who(0, {}, process->vm_thread));
    });
    std::erase_if(draft.conditions, [](const Condition& c) { return c.from >= c.to; });
  }

  // In [from, to) this is why no thread took the request up.
  void unnoticed(Nanos from, Nanos to, Label label, std::uint32_t who) {
    for (std::size_t i = 0, n = draft.conditions.size(); i < n; ++i) {
      Condition c = draft.conditions[i];
      const bool idle = c.label == Label::q_notice || c.label == Label::q_accept || c.label == Label::q_loop ||
                        c.label == Label::q_pool;
      if (!idle || c.to <= from || c.from >= to) continue;
      draft.add(std::max(c.from, from), std::min(c.to, to), label, model::Evidence::inferred, who);
      draft.add(to, c.to, c.label, c.evidence, c.behind);
      draft.conditions[i].to = std::clamp(from, c.from, c.to);
    }
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
    if (!w.server() && !calls.empty()) add_down(k, calls.front(), w.first, w.second, model::Evidence::measured, draft);
    const ExchangeNote* note = k.windows.note(w.id);
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
};

bool stopped(const DraftContext& k, const Window& w) {
  const ProcessLog* process = k.observed.process(w.pid);
  bool out = false;
  if (process) process->halts.each(w.from, w.to, [&](const Halt&) { out = true; });
  if (process) process->vm_stops.each(w.from, w.to, [&](const TimeSpan&) { out = true; });
  return out;
}

void clear(Draft& draft) {
  draft.conditions.clear();
  draft.behind.clear();
  draft.carried.clear();
  draft.goroutine = 0;
  draft.background = {};
}

}  // namespace

void draft_request(const DraftContext& k, std::uint32_t row, DraftDetail detail, Drafted& out) {
  Draft& draft = out.draft;
  clear(draft);
  out.pieces.clear();
  draft.w = k.windows.window(row);
  if (!draft.w.phases) draft.w = k.windows.unfinished(row);
  if (!draft.w.phases || draft.w.stretches == 0) return;
  draft.detail = detail == DraftDetail::sums && !stopped(k, draft.w) ? DraftDetail::sums : DraftDetail::full;
  find_calls(k, draft, out.calls);
  Drafting drafting{k, draft};
  drafting.carry(out.calls);
  drafting.pipelined();
  drafting.unable(out.calls);
  drafting.halted();
  add_lost(k, out.calls, draft);
  out.sweeper.sweep(draft.w.from, draft.w.to, draft.conditions, out.pieces);
}

void draft_thread(const DraftContext& k, std::uint32_t tid, Nanos from, Nanos to, std::optional<std::uint32_t> row,
                  Drafted& out) {
  Draft& draft = out.draft;
  clear(draft);
  out.pieces.clear();
  out.calls.clear();
  const ThreadLog* log = k.observed.thread(tid);
  if (!log || log->known_since == 0 || from >= to || k.observed.waits_left_out(*log, from, to)) return;
  if (row) {
    draft.w = k.windows.window(*row);
    find_calls(k, draft, out.calls);
  } else {
    draft.w = {};
  }
  draft.w.from = from;
  draft.w.to = to;
  add_running(k, tid, from, to, out.calls, draft);
  out.sweeper.sweep(from, to, draft.conditions, out.pieces);
}

}  // namespace tailcap::partition
