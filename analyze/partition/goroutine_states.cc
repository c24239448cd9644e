#include "analyze/partition/goroutine_states.h"

#include <algorithm>
#include <optional>

#include "analyze/partition/draft/running.h"

namespace tailcap::partition {

using formats::GoRunState;
using model::Evidence;
using model::Label;

namespace {

// A goroutine that the kernel took no more bytes from parks this shortly after its last send.
constexpr Nanos kJustSent = 5'000'000;

class States {
 public:
  States(const DraftContext& k, std::uint64_t goroutine, const Log<Sighting>& seen, std::span<const Call> calls,
         Draft& draft)
      : k_(k),
        process_(k.observed.process(draft.w.pid)),
        goroutine_(goroutine),
        seen_(seen),
        calls_(calls),
        draft_(draft) {}

  // The parts of [from, to) that no state covers.
  std::vector<TimeSpan> run(Nanos from, Nanos to) {
    if (process_) process_->stops.each(from, to, [&](const TimeSpan& s) { stops_.push_back(s); });
    const Sighting* now = nullptr;
    for (const Sighting& s : seen_) {
      if (!s.state) continue;
      if (s.time >= to) break;
      if (now && s.time > from)
        stretch(*now, std::max(now->time, from), s.time);
      else if (!now && s.time > from)
        left_.push_back({from, s.time});
      now = &s;
    }
    if (now)
      stretch(*now, std::max(now->time, from), to);
    else
      left_.push_back({from, to});
    return left_;
  }

 private:
  void stretch(const Sighting& s, Nanos from, Nanos to) {
    switch (s.run) {
      case GoRunState::running:
        return add_running(k_, s.tid, from, to, calls_, draft_);
      case GoRunState::ready:
        return ready(from, to);
      case GoRunState::parked:
        return parked(s.why, from, to);
      default:
        left_.push_back({from, to});
    }
  }

  void ready(Nanos from, Nanos to) {
    for (const TimeSpan& s : stops_) draft_.add(std::max(s.time, from), std::min(s.to, to), Label::go_stw);
    // The thread that ran it next, if it had to be woken.
    const Sighting* next = seen_.first_at(to);
    const ThreadLog* log = next != seen_.end() && next->state && next->run == GoRunState::running
                               ? k_.observed.thread(next->tid)
                               : nullptr;
    const OffCpuWait* woken = log ? log->waits.last_before(to) : nullptr;
    if (!woken || !woken->woken() || woken->back > to || woken->back <= from)
      return draft_.add(from, to, Label::go_runnable);
    draft_.add(from, std::min(woken->runnable, to), Label::go_runnable);
    draft_.add(std::max(woken->runnable, from), woken->back, Label::sched_runq);
    draft_.add(woken->back, to, Label::go_runnable);
  }

  // The socket without requests that it read first after a wait for a descriptor; 0: something else came first.
  formats::SocketId read_next(Nanos at) const {
    for (const Sighting* s = seen_.first_at(at); s != seen_.end(); ++s) {
      if (s->socket != 0) return s->out ? 0 : s->socket;
      if (s->connection != 0 || (s->state && s->run == GoRunState::parked)) return 0;
    }
    return 0;
  }

  // The goroutine that ended the wait; nullptr: not known.
  const Sighting* ended(Nanos at) const {
    const Sighting* next = seen_.first_at(at);
    while (next != seen_.end() && !next->state) ++next;
    return next == seen_.end() || next->run != GoRunState::ready || next->by == 0 ? nullptr : next;
  }

  // The request for which it worked: that held the lock, or sent what was waited for.
  std::uint32_t ended_by(Nanos at) {
    const Sighting* const next = ended(at);
    if (!next) return 0;
    if (const auto row = k_.windows.handled_by(draft_.w.pid, next->by)) return behind(*row);
    const Log<Sighting>* other = k_.observed.goroutine(draft_.w.pid, next->by);
    const Sighting* act = other ? other->last_until(next->time) : nullptr;
    while (act && act->connection == 0) act = act == other->begin() ? nullptr : act - 1;
    const auto row = act ? k_.windows.at(act->connection, next->time) : std::nullopt;
    return row ? behind(*row) : 0;
  }

  // It waited for a connection that another request had.
  std::optional<PoolWaits::Given> taken(Label why, Nanos from, Nanos to) const {
    const bool channel = why == Label::lock_go_chan || why == Label::lock_go_select;
    const Sighting* const next = channel ? ended(to) : nullptr;
    return next ? k_.pools.given(draft_.w, goroutine_, next->by, from, to) : std::nullopt;
  }

  std::uint32_t behind(std::uint32_t row) {
    const model::ExchangeId request = k_.windows.owner(row);
    return request.connection != 0 && request != draft_.w.id ? draft_.who(0, request) : 0;
  }

  void parked(Label why, Nanos from, Nanos to) {
    for (const TimeSpan& s : stops_) draft_.add(std::max(s.time, from), std::min(s.to, to), Label::go_stw);
    const Window& w = draft_.w;
    // On a descriptor, or for those that do the talking: what of it a call explains is the call's.
    const TimeSpans rest = add_calls(k_, calls_, from, to, draft_);
    if (why == Label::net_unknown_socket) draft_.add(from, to, Label::q_notice);
    for (const TimeSpan& piece : rest) {
      if (why == Label::net_unknown_socket && w.server() && w.phases && piece.time < w.second)
        add_awaited_bytes(k_, w.id.connection, std::max(piece.time, w.first), std::min(piece.to, w.second),
                          Label::net_upload, Label::net_reorder, Evidence::measured, client_of(k_, draft_), draft_);
      else if (why == Label::net_unknown_socket && w.server() && w.phases && piece.time >= w.third &&
               k_.observed.fills_buffer(w.id.connection, piece.time - kJustSent, piece.time))
        draft_.add(piece.time, piece.to, Label::send_sndbuf, Evidence::inferred, client_of(k_, draft_));
      else if (const formats::SocketId socket = why == Label::net_unknown_socket ? read_next(to) : 0; socket != 0)
        add_peer(k_, socket, piece.time, piece.to, Evidence::measured, draft_);
      else if (const auto given = taken(why, from, to))
        draft_.add(piece.time, piece.to, Label::q_pool, Evidence::inferred, draft_.who(given->number, given->by));
      else
        draft_.add(piece.time, piece.to, why, Evidence::measured, why == Label::timer_sleep ? 0 : ended_by(to));
      if (process_)
        add_connecting(*process_, piece.time, piece.to, draft_,
                       [&](const Attempt& a) { return a.made_by(goroutine_); });
    }
    // A call's answer had come, and it was still parked: the answer first went to another goroutine.
    if (why != Label::net_unknown_socket) draft_.add(from, to, Label::go_runnable, Evidence::inferred);
  }

  const DraftContext& k_;
  const ProcessLog* const process_;
  const std::uint64_t goroutine_;
  const Log<Sighting>& seen_;
  const std::span<const Call> calls_;
  Draft& draft_;
  std::vector<TimeSpan> stops_, left_;
};

}  // namespace

std::vector<TimeSpan> add_goroutine_states(const DraftContext& k, std::uint64_t goroutine, const Log<Sighting>& seen,
                                           std::span<const Call> calls, Draft& draft) {
  return States(k, goroutine, seen, calls, draft).run(draft.w.first, draft.w.to);
}

}  // namespace tailcap::partition
