#include "analyze/partition/draft/descriptor_wait.h"

#include <algorithm>
#include <optional>

namespace tailcap::partition {
namespace {

using model::Evidence;
using model::Label;

class DescriptorWait {
 public:
  DescriptorWait(CarryingThread& thread, const OffCpuWait& wait, Nanos until)
      : thread_(thread), wait_(wait), until_(until) {}

  void label() {
    if (wait_.file == formats::FileKind::log) return wait_.woken() ? thread_.add_plain(wait_, until_) : void();
    const model::ConnectionId connection = thread_.k.observed.connection_of(wait_.socket);
    // If the awaited event had happened, the thread had not been woken yet.
    const auto unnoticed = [&] {
      if (wait_.woken()) add(wait_.time, until_, Label::q_notice);
    };
    if (connection != 0 && connection == thread_.draft.w.id.connection && thread_.draft.w.server())
      return own(Evidence::measured);
    if (connection != 0) {
      for (const Call& c : thread_.calls)
        if (c.w.id.connection == connection && c.began <= until_ && c.end >= wait_.time) {
          if (const auto s = sending(); s && s->label == Label::send_sndbuf && c.sent >= until_)
            return add(wait_.time, until_, Label::down_zwnd, s->evidence, c.who);
          if (c.setup) return add(wait_.time, until_, *c.setup, Evidence::measured, c.who);
          unnoticed();
          return add_down(thread_.k, c, std::max(wait_.time, thread_.from), std::min(until_, thread_.to),
                          Evidence::measured, thread_.draft);
        }
      return another(connection);
    }
    if (wait_.socket != 0) return stranger();
    if (const Call* c = meant()) {
      unnoticed();
      return add_down(thread_.k, *c, std::max(wait_.time, thread_.from), std::min(until_, thread_.to),
                      c->sender == thread_.tid ? Evidence::measured : Evidence::inferred, thread_.draft);
    }
    const bool file = wait_.file != formats::FileKind::unknown && wait_.file != formats::FileKind::socket &&
                      wait_.file != formats::FileKind::epoll;
    if (thread_.draft.w.server() && thread_.draft.w.phases && !file &&
        (wait_.time < thread_.draft.w.second || wait_.time >= thread_.draft.w.third))
      return own(Evidence::inferred);
    if (!wait_.woken()) return;
    if (wait_.blocked == Blocked::connect) return add(wait_.time, until_, Label::down_connect);
    if (timed_out()) return add(wait_.time, until_, Label::timer_sleep, Evidence::inferred);
    if (const model::ExchangeId holder = thread_.holders.of_session(wait_); holder.connection != 0)
      return add(wait_.time, until_, Label::lock_session, Evidence::inferred,
                 thread_.draft.who(0, holder, wait_.waker));
    thread_.add_plain(wait_, until_);
  }

 private:
  void add(Nanos from, Nanos to, Label label, Evidence evidence = Evidence::measured, std::uint32_t who = 0) {
    thread_.add(from, to, label, evidence, who);
  }

  // It waited for nothing that came, until its time was up. What ends the time limit of a socket looks like an
  // arrival.
  bool timed_out() const {
    return wait_.woken_by_timer() && wait_.file == formats::FileKind::pipe &&
           (wait_.blocked == Blocked::input || wait_.blocked == Blocked::poll_one);
  }

  // A socket that carries no requests: for what its other end does.
  void stranger() {
    const Stranger* s = thread_.k.observed.stranger(wait_.socket);
    const std::uint32_t number = thread_.k.observed.peer_of(wait_.socket);
    const std::uint32_t who = number != 0 ? thread_.draft.who(number) : 0;
    if (s && s->name_server) return add(wait_.time, until_, Label::down_dns, Evidence::measured, who);
    if (wait_.blocked == Blocked::connect) return add(wait_.time, until_, Label::down_connect, Evidence::measured, who);
    if (const ProcessLog* process = thread_.k.observed.process(thread_.log.pid))
      process->attempts.each(wait_.time, until_, [&](const Attempt& a) {
        if (a.socket == wait_.socket)
          add(std::max(wait_.time, a.time), std::min(until_, a.to), Label::down_connect, Evidence::measured, who);
      });
    if (s && s->connecting != 0 && s->connecting < until_)
      add(std::max(wait_.time, s->connecting), until_, Label::down_connect, Evidence::measured, who);
    const bool asks = s && s->asks, sure = !asks || s->origin == formats::Origin::connected;
    if (asks || wait_.woken())
      add_elsewhere(thread_.k, wait_.socket, std::max(wait_.time, thread_.from), std::min(until_, thread_.to),
                    asks ? Label::down_wait : Label::net_unknown_socket, sure ? Evidence::measured : Evidence::inferred,
                    number, thread_.draft);
  }

  // A call under way that is not known to belong to the request; its carrier waited for it all the same.
  void another(model::ConnectionId connection) {
    const auto row = thread_.k.windows.at(connection, wait_.time);
    if (row && thread_.k.windows.table().rows.role(*row) == model::Role::client) {
      const Call c = call_of(thread_.k, *row, thread_.draft.w.to, thread_.draft);
      if (wait_.woken()) add(wait_.time, until_, Label::q_notice);
      return add_down(thread_.k, c, std::max(wait_.time, thread_.from), std::min(until_, thread_.to),
                      Evidence::inferred, thread_.draft);
    }
    const std::uint32_t number = thread_.k.observed.peer_of(wait_.socket);
    if (wait_.woken())
      add(wait_.time, until_, Label::net_unknown_socket, Evidence::measured,
          number != 0 ? thread_.draft.who(number) : 0);
  }

  // When the thread had last waited for a descriptor.
  Nanos before() const {
    const OffCpuWait* last = thread_.log.waits.last_before(wait_.time);
    while (last && last->blocked != Blocked::poll && last->blocked != Blocked::poll_one &&
           last->blocked != Blocked::input)
      last = last == thread_.log.waits.begin() ? nullptr : last - 1;
    return last ? last->back : thread_.draft.w.from;
  }

  // A wait on the request's own connection: for the rest of the request, or for room for the response.
  void own(Evidence evidence) {
    // A call that writes waits for room. One that waits for a descriptor can also wait for more of the request.
    const bool writes =
        wait_.blocked == Blocked::output ||
        (wait_.blocked != Blocked::input && thread_.draft.w.phases && wait_.time >= thread_.draft.w.third &&
         thread_.k.observed.fills_buffer(thread_.draft.w.id.connection, before(), wait_.time));
    if (!writes && thread_.draft.w.phases && wait_.time >= thread_.draft.w.third)
      return add(wait_.time, until_, Label::blocked_unknown);  // but for windows
    if (!writes) {
      if (wait_.woken()) add(wait_.time, until_, Label::q_notice);
      // What a thread did before its request began: it waited for the client to send it.
      const std::uint32_t client = client_of(thread_.k, thread_.draft);
      if (wait_.time < thread_.draft.w.first && thread_.draft.w.id.connection != 0)
        add(wait_.time, std::min(until_, thread_.k.windows.window(thread_.draft.w.row).from), Label::net_idle,
            Evidence::measured, client);
      if (wait_.time >= thread_.draft.w.first)
        add_awaited_bytes(thread_.k, thread_.draft.w.id.connection, std::max(wait_.time, thread_.from),
                          std::min(until_, thread_.to), Label::net_upload, Label::net_reorder, evidence, client,
                          thread_.draft);
      return;
    }
    if (!wait_.woken()) return;
    Sending why{Label::send_sndbuf, Evidence::inferred};
    if (const EndLog* end = thread_.k.observed.end(thread_.draft.w.id.connection))
      end->retransmitted.each(wait_.time, until_, [&](const TimeSpan&) { why.label = Label::send_cwnd; });
    why = sending().value_or(why);
    add(wait_.time, until_, why.label, why.evidence,
        why.label == Label::send_sndbuf ? client_of(thread_.k, thread_.draft) : 0);
  }

  // The reason that TCP gave for accepting nothing; unset: none.
  struct Sending {
    Label label = Label::send_blocked;
    Evidence evidence = Evidence::inferred;
  };
  std::optional<Sending> sending() const {
    constexpr std::uint32_t kNearly = 5;  // per cent: its account is in ticks
    std::optional<Sending> out;
    thread_.log.stalls.each(wait_.time, until_, [&](const Stalled& s) {
      if (s.what == formats::StallKind::peer_window)
        out = {Label::send_sndbuf, s.detail + kNearly >= 100 ? Evidence::measured : Evidence::inferred};
      if (s.what == formats::StallKind::congestion)
        out = {Label::send_cwnd, s.detail <= kNearly ? Evidence::measured : Evidence::inferred};
    });
    return out;
  }

  // The awaited call is not recorded. It is taken to be the one with the answer that woke the thread, or one that was
  // under way all the time.
  const Call* meant() const {
    const Call* best = nullptr;
    const auto woke = [&](const Call& c) { return c.arrived > wait_.time && c.arrived <= until_; };
    for (const Call& c : thread_.calls) {
      if (c.began > until_ || c.end < wait_.time) continue;
      if (c.sender != 0 && c.sender != thread_.tid && c.reader != thread_.tid) continue;
      if (!best || (woke(c) && (!woke(*best) || c.arrived > best->arrived))) best = &c;
    }
    return best;
  }

  CarryingThread& thread_;
  const OffCpuWait& wait_;
  const Nanos until_;
};

}  // namespace

void add_descriptor_wait(CarryingThread& thread, const OffCpuWait& wait, Nanos until) {
  DescriptorWait(thread, wait, until).label();
}

}  // namespace tailcap::partition
