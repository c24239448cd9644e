#include "analyze/partition/draft/calls.h"

#include <algorithm>

#include "analyze/partition/history/served_elsewhere.h"

namespace tailcap::partition {
namespace {

using formats::nanoseconds;
using model::Evidence;
using model::ExchangeId;
using model::Label;

// An acknowledgement that takes this much longer than a round trip was delayed; Linux does so for 40 ms at least.
constexpr Nanos kDelayedAtLeast = 30'000'000;

// How many arrivals are looked at to find the next in order.
constexpr std::size_t kMaxMarks = 4096;

bool waits_for_input(const OffCpuWait& w) {
  return w.blocked == Blocked::input || w.blocked == Blocked::poll || w.blocked == Blocked::poll_one;
}

// Where no arrival is recorded (UNIX sockets), it is taken from the reader's wake-up.
void arrival_by_wake(const DraftContext& k, Call& call) {
  const ThreadLog* log = k.observed.thread(call.reader);
  const OffCpuWait* wait = log ? log->waits.last_before(call.read) : nullptr;
  if (wait && wait->woken() && waits_for_input(*wait) && wait->back <= call.read && wait->runnable > call.sent)
    call.arrived = wait->runnable;
}

model::ConnectionId other_end(const DraftContext& k, const Call& call) {
  return k.windows.table().rows.peer(call.w.row).connection;
}

// Refines the wait for an answer: something sent had to be sent again.
void add_wait(const DraftContext& k, const Call& call, Nanos from, Nanos to, Evidence evidence, Draft& draft) {
  Nanos since = to;
  for (const model::ConnectionId connection : {call.w.id.connection, other_end(k, call)}) {
    const EndLog* end = k.observed.end(connection);
    if (!end) continue;
    end->retransmitted.each(call.began, to, [&](const TimeSpan& again) {
      // Acknowledgements are not seen: it counts as under way until the answer is there.
      if (again.to < to) since = std::min(since, std::clamp(again.time, from, to));
    });
  }
  draft.add(from, since, Label::down_wait, evidence, call.who);
  if (const EndLog* own = k.observed.end(call.w.id.connection))
    own->held.each(call.w.from, to, [&](const HeldBytes& held) {
      const bool late = held.to - held.time >= held.round_trip + kDelayedAtLeast;
      if (!held.nagle || held.time < call.w.from || !late) return;
      draft.add(std::max(held.time, from), std::min(held.to, to), Label::net_nagle, evidence, call.who);
    });
  draft.add(since, to, Label::down_retx, Evidence::inferred, call.who);
}

// The last time at which the sender passed these bytes to its kernel; negative: not known.
Nanos written(const EndLog& sender, const PositionMark& m) {
  constexpr Nanos kReturns = 1'000'000;  // a send is stamped when it returns: on one machine, after the arrival
  const PositionMark* at = sender.sent.first_after(m.time + kReturns);
  for (std::size_t looked = 0; at != sender.sent.begin() && looked < kMaxMarks; ++looked) {
    --at;
    if (static_cast<std::int32_t>(m.begin - at->begin) >= 0 && static_cast<std::int32_t>(at->end - m.begin) > 0)
      return at->time;
  }
  return -1;
}

// Nagle's algorithm: a segment that is not full waits until all before it is acknowledged (RFC 9293, 3.7.4), and the
// receiver delays that acknowledgement, for 40 ms at least on Linux, 500 at most (RFC 1122, 4.2.3.2). Returns the part
// of the wait for `next` that this caused, beyond the round trip; empty: none, or not known. Neither acknowledgements
// nor TCP_NODELAY are seen, so it is inferred: the bytes came that late, and were written before the preceding ones
// could be acknowledged, or the receiver sent nothing, which would acknowledge them, for as long as it delays.
TimeSpan held_back(const EndLog& sender, const EndLog& receiver, const PositionMark& before, const PositionMark& next) {
  constexpr std::uint32_t kSmall = 536;  // less than any connection's full segment
  constexpr Nanos kLeast = kDelayedAtLeast, kMost = 500'000'000, kDelayed = 38'000'000;
  const Nanos first = written(sender, before), second = written(sender, next);
  if (next.end - next.begin >= kSmall || first < 0 || second < 0) return {};
  const Nanos way = std::max<Nanos>(0, before.time - first);
  const Nanos acknowledged = next.time - 2 * way;
  const TimeSpan held{std::max(before.time, second), acknowledged};
  if (held.to - held.time < kLeast || held.to - held.time > kMost) return {};
  if (second >= before.time + way) {
    const PositionMark* answer = receiver.sent.first_after(before.time);
    if (acknowledged - before.time < kDelayed || (answer != receiver.sent.end() && answer->time < acknowledged))
      return {};
  }
  bool again = false;
  sender.retransmitted.each(first, next.time, [&](const TimeSpan&) { again = true; });
  return again ? TimeSpan{} : held;
}

Call call_with(const DraftContext& k, const Window& w, Nanos limit, Draft& draft) {
  Call c;
  c.w = w;
  const model::RequestTable& table = k.windows.table();
  c.began = c.sent = c.w.from;
  c.arrived = c.read = c.end = c.w.ended() ? c.w.to : std::max(limit, c.w.from);
  if (!c.w.ended()) {
    const model::Request r = table.rows[w.row];
    if (r.reset_after >= 0) c.arrived = c.read = c.end = c.w.from + r.reset_after;
  }
  if (c.w.phases) {
    c.sent = c.w.first;
    c.arrived = c.w.second;
    c.read = c.w.third;
  }
  if (const model::Setup* s = table.setups.find(c.w.id)) {
    if (s->dns().count() > 0) {
      c.dns_from = nanoseconds(s->dns_began);
      c.dns_to = nanoseconds(s->dns_done);
    }
    if (s->connect().count() > 0) {
      c.connect_from = nanoseconds(s->connect_began);
      c.connect_to = nanoseconds(s->connect_done);
    }
    if (s->tls().count() > 0) {
      c.tls_from = nanoseconds(s->tls_began);
      c.tls_to = nanoseconds(s->tls_done);
    }
    if (known(s->began())) c.began = std::min(c.began, nanoseconds(s->began()));
  }
  if (const EndLog* end = k.observed.end(c.w.id.connection)) {
    const Act* out = end->acts.first_at(c.w.from);
    if (out != end->acts.end() && out->out && out->time <= c.end) {
      c.sender = out->tid;
      c.goroutine = out->goroutine;
    }
    const Act* in = end->acts.first_at(c.read);
    if (in != end->acts.end() && !in->out && in->time == c.read) {
      c.reader = in->tid;
      c.read_by = in->goroutine;
    }
  }
  if (c.w.phases && c.arrived == c.read) arrival_by_wake(k, c);
  if (const auto protocol = table.rows.protocol(w.row); is_setup(protocol)) {
    c.setup = protocol == model::Protocol::dns   ? Label::down_dns
              : protocol == model::Protocol::tcp ? Label::down_connect
                                                 : Label::down_tls;
    const model::Request r = table.rows[w.row];
    if (r.at_least >= 0)
      c.end = c.w.from + r.at_least;
    else if (protocol == model::Protocol::dns && r.outcome != model::Outcome::in_flight)
      c.end = c.w.from;  // it is not known when it was given up
  }
  c.who = draft.who(c.w.id.connection, c.w.id);
  return c;
}

}  // namespace

Call call_of(const DraftContext& k, std::uint32_t row, Nanos limit, Draft& draft) {
  return call_with(k, k.windows.window(row), limit, draft);
}

void find_calls(const DraftContext& k, Draft& draft, std::vector<Call>& calls) {
  calls.clear();
  if (!draft.w.server()) {
    // A request that has not ended has another window as a call.
    const bool ended = k.windows.table().rows.has_duration(draft.w.row);
    calls.push_back(call_with(k, ended ? draft.w : k.windows.window(draft.w.row), draft.w.to, draft));
    calls.back().on_path = true;
    calls.back().began = draft.w.from;  // its set-up lies before it
    return;
  }
  const auto& causes = k.windows.table().causes;
  for (const std::uint32_t row : k.windows.calls_of(draft.w.id)) {
    Call c = call_of(k, row, draft.w.to, draft);
    if (c.end <= draft.w.from || c.began >= draft.w.to) continue;
    // A set-up before the request's arrival was not for this request alone.
    c.began = std::max(c.began, draft.w.from);
    const model::Cause* cause = causes.find(c.w.id);
    c.linked = cause && cause->certain ? Evidence::measured : Evidence::inferred;
    calls.push_back(c);
  }
  std::sort(calls.begin(), calls.end(),
            [](const Call& a, const Call& b) { return a.began != b.began ? a.began < b.began : a.w.id < b.w.id; });
  // Backwards: the next is the last that had ended by then.
  for (Nanos at = draft.w.to;;) {
    Call* last = nullptr;
    for (Call& c : calls)
      if (!c.on_path && std::min(c.end, draft.w.to) <= at && c.began < at && (!last || c.end > last->end)) last = &c;
    if (!last) break;
    last->on_path = true;
    at = std::min(last->began, at - 1);
  }
  for (Call& c : calls) {
    if (c.on_path) continue;
    Nanos joined = draft.w.to;
    for (const Call& other : calls)
      if (other.on_path && other.end >= c.end) joined = std::min(joined, other.end);
    c.slack = std::max<Nanos>(0, joined - c.end);
  }
}

void add_peer(const DraftContext& k, formats::SocketId socket, Nanos from, Nanos to, Evidence evidence, Draft& draft) {
  const Stranger* s = k.observed.stranger(socket);
  const std::uint32_t number = k.observed.peer_of(socket);
  draft.add(from, to, s && s->asks ? Label::down_wait : Label::net_unknown_socket, evidence,
            number != 0 ? draft.who(number) : 0);
}

Nanos add_awaited_bytes(const DraftContext& k, model::ConnectionId connection, Nanos from, Nanos to, Label label,
                        Label hole, Evidence evidence, std::uint32_t who, Draft& draft, model::ConnectionId sender) {
  const EndLog* end = k.observed.end(connection);
  if (!end || end->arrived.size() == 0) {
    draft.add(from, to, label, evidence, who);
    return to;
  }
  const auto ahead = [](std::uint32_t a, std::uint32_t b) { return static_cast<std::int32_t>(a - b) > 0; };
  const PositionMark* read = end->read.last_until(from);
  const PositionMark* there = end->arrived.last_until(from);
  if (read && there && ahead(there->end, read->end) && !ahead(there->begin, read->end)) return from;
  std::uint32_t have = read ? read->end : there ? there->end : 0;
  bool have_known = read || there;
  Nanos holed = to, filled = to;
  const PositionMark* next = nullptr;
  std::size_t looked = 0;
  for (const PositionMark* m = end->arrived.first_after(from);
       m != end->arrived.end() && m->time < to && looked < kMaxMarks; ++m, ++looked) {
    if (have_known && !ahead(m->end, have)) continue;  // sent again, and had arrived before
    if (have_known && ahead(m->begin, have)) {
      holed = std::min(holed, m->time);
      continue;
    }
    filled = m->time;
    next = m;
    break;
  }
  // Retransmitted bytes were missing from their first transmission on.
  if (const EndLog* sent = sender != 0 ? k.observed.end(sender) : nullptr)
    sent->retransmitted.each(from, filled, [&](const TimeSpan& again) {
      if (again.to <= filled) holed = std::min(holed, std::max(again.time, from));
    });
  const model::ConnectionId writer =
      sender != 0 || connection != draft.w.id.connection ? sender : k.windows.table().rows.peer(draft.w.row).connection;
  if (const EndLog* other = next && there && holed >= filled && writer != 0 ? k.observed.end(writer) : nullptr) {
    const TimeSpan held = held_back(*other, *end, *there, *next);
    const Nanos begins = std::max(from, held.time);
    if (begins < held.to) {
      draft.add(from, begins, label, evidence, who);
      draft.add(begins, held.to, Label::net_nagle, Evidence::inferred, who);
      from = held.to;
    }
  }
  draft.add(from, std::min(holed, filled), label, evidence, who);
  if (holed < filled) draft.add(holed, filled, hole, evidence, who);
  return filled;
}

void add_elsewhere(const DraftContext& k, formats::SocketId socket, Nanos from, Nanos to, Label label,
                   Evidence evidence, std::uint32_t peer, Draft& draft) {
  for (const ServedElsewhere& s : served_elsewhere(k.observed, socket, std::max(from, draft.w.from), to)) {
    const bool own = s.before == draft.w.id;
    if (s.queued)
      draft.add(s.from, s.to, Label::q_pool, Evidence::inferred, draft.who(0, own ? ExchangeId{} : s.before, s.tid));
    else
      draft.add(s.from, s.to, label, evidence, peer != 0 || s.tid != 0 ? draft.who(peer, {}, s.tid) : 0);
  }
}

void add_down(const DraftContext& k, const Call& call, Nanos from, Nanos to, Evidence evidence, Draft& draft) {
  evidence = std::max(evidence, call.linked);
  const auto part = [&](Nanos a, Nanos b, Label label) {
    draft.add(std::max(a, from), std::min(b, to), label, evidence, call.who);
  };
  if (call.setup) return part(call.began, call.end, *call.setup);
  if (draft.w.server()) {
    part(call.dns_from, call.dns_to, Label::down_dns);
    part(call.connect_from, call.connect_to, Label::down_connect);
    part(call.tls_from, call.tls_to, Label::down_tls);
  }
  part(call.w.from, call.sent, Label::down_send);
  const Nanos a = std::max(call.sent, from), b = std::min(call.arrived, to);
  if (a < b) add_wait(k, call, a, b, evidence, draft);
  const Nanos body = std::max(call.read, from), over = std::min(call.end, to);
  if (call.read < call.end && body < over)
    add_awaited_bytes(k, call.w.id.connection, body, over, Label::down_body, Label::down_retx, evidence, call.who,
                      draft, other_end(k, call));
}

std::uint32_t client_of(const DraftContext& k, Draft& draft) {
  const auto& rows = k.windows.table().rows;
  const ExchangeId peer = rows.peer(draft.w.row);
  const auto call = peer.connection != 0 ? k.windows.find(peer) : std::nullopt;
  const std::uint32_t host = k.observed.host_of(draft.w.id.connection);
  const std::uint32_t tid = call ? rows.work(*call).tid : k.observed.client_of(draft.w.id.connection);
  return host != 0 || tid != 0 ? draft.who(host, {}, tid) : 0;
}

TimeSpans add_calls(const DraftContext& k, std::span<const Call> calls, Nanos from, Nanos to, Draft& draft) {
  // Calls come by their beginning, and those on the path do not overlap.
  const auto outside = [&](const TimeSpans& pieces, bool on_path) {
    TimeSpans left;
    for (const TimeSpan& piece : pieces) {
      Nanos at = piece.time;
      for (const Call& c : calls) {
        if (c.on_path != on_path || c.end <= at || c.began >= piece.to) continue;
        if (c.began > at) left.push_back({at, c.began});
        at = c.end;
      }
      if (at < piece.to) left.push_back({at, piece.to});
    }
    return left;
  };
  for (const Call& c : calls)
    if (c.on_path) add_down(k, c, from, to, Evidence::measured, draft);
  const TimeSpans beside = outside({{from, to}}, true);
  for (const TimeSpan& piece : beside)
    for (const Call& c : calls)
      if (!c.on_path) add_down(k, c, piece.time, piece.to, Evidence::inferred, draft);
  return outside(beside, false);
}

}  // namespace tailcap::partition
