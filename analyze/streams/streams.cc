#include "analyze/streams/streams.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <queue>
#include <utility>
#include <vector>

#include "analyze/streams/facts.h"
#include "analyze/streams/output.h"
#include "analyze/streams/slot.h"
#include "analyze/streams/tls_sessions.h"
#include "formats/event.h"
#include "formats/recorder_event.h"
#include "formats/thread_event.h"

namespace tailcap::streams {

using formats::Event;
using formats::TcpState;
using model::Direction;
using model::End;
using model::Finding;
using model::Taint;

namespace {

struct Wake {
  model::Time at;
  model::SocketId socket;
  model::ConnectionId id;
  bool operator>(const Wake& w) const { return at != w.at ? at > w.at : id > w.id; }
};

}  // namespace

struct Streams::Impl {
  const model::PartlyRead partly;
  ConnectionFacts facts;
  Shared shared;
  Output out;
  LiveSlots<Slot> live;
  UncountedLosses losses, losses_in_tls;  // in_tls: those, and the ones that only sessions suffer from
  Sessions sessions{facts, shared, out, losses_in_tls, live};
  std::priority_queue<Wake, std::vector<Wake>, std::greater<>> wakes;

  explicit Impl(model::PartlyRead p) : partly(std::move(p)) {}

  Slot* open(model::SocketId socket, model::Time at) {
    if (Slot* s = live.find(socket)) return s;
    if (socket == 0 || live.size() >= kMaxLive) {
      shared.findings.add(Finding::socket_unknown);
      return nullptr;
    }
    auto slot = std::make_unique<Slot>(facts.add(socket, at));
    losses.pass(*slot);
    return live.add(socket, std::move(slot));
  }

  void note(Slot& s) {
    s.facts.bytes_in = s.pair.in.moved();
    s.facts.bytes_out = s.pair.out.moved();
    s.facts.lost_in = s.pair.in.lost();
    s.facts.lost_out = s.pair.out.lost();
    s.facts.base[0] = s.pair.out.base();
    s.facts.base[1] = s.pair.in.base();
  }

  // After something happened to it: goes on, and forgets the connection when both directions have ended.
  void after(Slot& s) {
    const std::size_t from = out.size();
    s.pair.advance(false, shared, out);
    note(s);
    if (s.carrier) sessions.handed_on(s, from);
    if (s.pair.ended()) return forget(s);
    if (s.waits) return;
    const model::Time at = s.pair.wakes_at();
    if (!formats::known(at)) return;
    s.waits = true;
    // Everything due has just been tried and can end only later, so wake() always terminates.
    wakes.push({std::max(at, shared.now + formats::Duration{1}), s.facts.socket, s.facts.id});
  }

  void forget(Slot& s) {
    sessions.gone(s);
    facts.close(s.facts.id);
    live.erase(s.facts.socket);
  }

  void wake() {
    while (!wakes.empty() && wakes.top().at <= shared.now) {
      const Wake w = wakes.top();
      wakes.pop();
      Slot* s = live.find(w.socket);
      if (!s || s->facts.id != w.id) continue;
      s->waits = false;
      after(*s);
    }
  }

  void missed(Slot& s, std::uint16_t n) {
    if (n == 0) return;
    s.facts.events_missed += n;
    s.pair.in.missed();
    s.pair.out.missed();
  }

  // Bytes were moved before the description was written: then it does not say where they begin.
  void check_birth(Slot& s, const Event& e, bool before_birth) {
    if (!formats::known(s.born_at) || !s.tcp() || (e.time >= s.born_at && !before_birth)) return;
    s.born_at = model::kNoTime;
    s.pair.in.began_earlier();
    s.pair.out.began_earlier();
  }

  void on(const Event& e, const formats::Io& io);
  void on(const Event& e, const formats::Arrival& a);
  void on(const Event& e, const formats::StateChange& c);
  void on(const Event& e, const formats::SocketInfo& info);
  void on(const Event& e, const formats::Reset& r);
  void end_both(Slot& s, const Event& e, End in, End outwards);
  void ended_before(Slot& s, const Event& e);
  void end_capture();
};

void Streams::Impl::on(const Event& e, const formats::Io& io) {
  Slot* s = live.find(io.socket);
  if (!s) {
    if (io.length == 0) return;  // the end or failure of something that was never seen
    if (!(s = open(io.socket, e.time))) return;
    shared.findings.add(Finding::socket_unknown);
  }
  if (s->listener) return;
  const bool first_bytes = io.length > 0 && io.error == 0 && s->tcp() && !s->pair[io.direction].started();
  check_birth(*s, e, first_bytes && s->pair[io.direction].offset_of(io.position, true) < 0);
  missed(*s, io.missed);
  if (s->carrier || sessions.any() || looks_like_record(io.head)) sessions.moved(*s, e, io);
  const bool tcp = s->tcp();
  if (io.error != 0) {
    s->facts.error = io.error;
    if (io.error == ECONNRESET || io.error == EPIPE || io.error == ETIMEDOUT) {
      // EPIPE is what a sender gets after its own shutdown, too: it says nothing of the other direction.
      const End how = io.error == ETIMEDOUT ? End::error : End::reset;
      if (io.error == EPIPE)
        s->pair.out.end(how, e.time, shared.now + kHold);
      else
        end_both(*s, e, how, how);
    }
    return after(*s);
  }
  DirectionStream& d = s->pair[io.direction];
  if (io.length == 0) {
    if (io.direction == Direction::in) d.read_nothing(d.offset_of(io.position, tcp), e.time, tcp, shared);
    return after(*s);
  }
  const Piece piece = piece_of(e, io, d.offset_of(io.position, tcp), losses, *s);
  const bool first = !d.started();
  const std::uint64_t lost = d.lost();
  const std::size_t from = out.size();
  d.push(piece, shared, out);
  if (s->carrier) sessions.handed_on(*s, from);
  s->facts.bytes_in = s->pair.in.moved();
  s->facts.bytes_out = s->pair.out.moved();
  if (first || d.lost() != lost || s->waits || s->pair.in.holds() || s->pair.out.holds()) after(*s);
}

void Streams::Impl::on(const Event& e, const formats::Arrival& a) {
  shared.arrivals_seen = shared.arrivals_expected = true;
  Slot* s = live.find(a.socket);
  if (!s || s->listener) return;
  check_birth(*s, e, false);
  missed(*s, a.missed);
  const std::int64_t begin = s->pair.in.offset_of(a.position, true);
  s->pair.in.arrived(begin, begin + a.length, e.time);
  if (s->pair.in.holds()) after(*s);
}

void Streams::Impl::end_both(Slot& s, const Event& e, End in, End outwards) {
  const Taint lost = Taint::events_lost;
  const model::Taints taints = s.any_loss != losses.any_loss ? static_cast<model::Taints>(lost) : 0;
  // Bytes that had arrived before can still be read, unless this side discarded them.
  const bool may_read = s.pair.in.unread() && !s.facts.reset_sent;
  s.pair.out.end(outwards, e.time, shared.now + kHold, taints);
  s.pair.in.end(in, e.time, shared.now + (may_read ? kUnreadHold : kHold), taints);
}

// The socket connects again, after an attempt that failed or a disconnect: that is another connection.
void Streams::Impl::ended_before(Slot& s, const Event& e) {
  if (!formats::known(s.facts.closed)) end_both(s, e, End::error, End::error);
  const std::size_t from = out.size();
  s.pair.advance(true, shared, out);
  note(s);
  if (s.carrier) sessions.handed_on(s, from);
  forget(s);
}

void Streams::Impl::on(const Event& e, const formats::StateChange& c) {
  Slot* s = live.find(c.socket);
  if (s && c.to == TcpState::syn_sent && formats::known(s->facts.connect_started) &&
      e.time > s->facts.connect_started) {
    ended_before(*s, e);
    s = nullptr;
  }
  if (!s && (c.to == TcpState::syn_sent || c.to == TcpState::established) && c.from != TcpState::listen)
    s = open(c.socket, e.time);
  if (!s || s->listener) return;
  if (c.error != 0) s->facts.error = c.error;
  s->facts.connect_failed = s->facts.connect_failed || (c.from == TcpState::syn_sent && c.to == TcpState::close);
  switch (c.to) {
    case TcpState::syn_sent:
      s->facts.connect_started = e.time;
      if (c.by_thread) s->facts.opener = {e.thread.pid, e.thread.tid, e.goroutine};
      break;
    case TcpState::established:
      if (!formats::known(s->facts.established)) s->facts.established = e.time;
      break;
    case TcpState::listen:
      s->listener = true;
      break;
    case TcpState::close_wait:
      s->facts.peer_closed = e.time;
      s->pair.in.fin_arrived();
      break;
    case TcpState::last_ack:
    case TcpState::fin_wait1:
      s->pair.out.end(End::fin, e.time, shared.now + kHold);
      break;
    case TcpState::close: {
      s->facts.closed = e.time;
      const bool reset = s->facts.reset_received || s->facts.reset_sent || c.error == ECONNRESET;
      const bool orderly_in = s->pair.in.fin_seen();
      if (reset || c.error == EPIPE)
        end_both(*s, e, End::reset, End::reset);
      else if (c.error != 0)
        end_both(*s, e, End::error, End::error);
      else
        end_both(*s, e, orderly_in ? End::fin : End::error, End::fin);
      break;
    }
    case TcpState::left_out: {
      const auto left_out = static_cast<model::Taints>(Taint::left_out);
      s->pair.out.end(End::capture, e.time, shared.now, left_out);
      s->pair.in.end(End::capture, e.time, shared.now, left_out);
      if (s->carrier) sessions.left_out(*s, e.time);
      break;
    }
    default:
      break;
  }
  after(*s);
}

void Streams::Impl::on(const Event& e, const formats::Reset& r) {
  Slot* s = live.find(r.socket);
  if (!s || s->listener) return;
  model::Connection& known = s->facts;
  (r.direction == Direction::in ? known.reset_received : known.reset_sent) = true;
  // The end of a connection that was not established follows, and says whether it ever was.
  const bool attempt = formats::known(known.connect_started) && !formats::known(known.established);
  if (attempt && known.bytes_in + known.bytes_out == 0) return;
  end_both(*s, e, End::reset, End::reset);
  after(*s);
}

void Streams::Impl::on(const Event& e, const formats::SocketInfo& info) {
  Slot* s = live.find(info.socket);
  const bool fresh = s == nullptr;
  if (!s && !(s = open(info.socket, e.time))) return;
  const bool known = s->facts.family != formats::Family::unknown;
  describe(s->facts, info);
  s->facts.was_connected = s->facts.was_connected || info.state == TcpState::established ||
                           info.state == TcpState::close_wait || info.state == TcpState::fin_wait1 ||
                           info.state == TcpState::fin_wait2;
  if (info.state == TcpState::close_wait && !formats::known(s->facts.peer_closed)) s->facts.peer_closed = e.time;
  if (info.origin == formats::Origin::listener || info.state == TcpState::listen ||
      info.type == formats::SocketType::datagram) {
    s->listener = true;
    return;
  }
  if (!s->tcp()) s->pair.in.no_arrivals();
  // A UNIX socket is described at its first use, and its bytes are counted from there.
  const bool unix_begins = !s->tcp() && info.origin == formats::Origin::unknown;
  const bool born =
      (unix_begins || info.origin == formats::Origin::connected || info.origin == formats::Origin::accepted) &&
      !partly.contains(s->facts.id);
  // Before the handshake is done the sequence numbers are not yet the stream's.
  const bool counted = !s->tcp() || (info.state != TcpState::none && info.state != TcpState::syn_sent &&
                                     info.state != TcpState::close && info.state != TcpState::new_syn_recv);
  // A keyframe may be written before older records of a ring that is behind. Then it says where the connection has got
  // to, and an older description comes. After a loss that description may be among what was lost.
  const bool seen_to_begin = formats::known(s->facts.connect_started) || formats::known(s->facts.established);
  const bool believed = !s->tcp() || seen_to_begin || losses.any_loss == 0;
  const bool older = formats::known(s->born_at) && e.time < s->born_at;
  if (born && counted && believed && (fresh || !known || !s->pair.in.first_known() || older) && !s->pair.in.started() &&
      !s->pair.out.started()) {
    if (older || !s->pair.out.first_known()) s->pair.out.born(info.next_out, s->tcp());
    if (older || !s->pair.in.first_known()) s->pair.in.born(info.next_in, s->tcp());
    s->born_at = e.time;
  }
  note(*s);
}

void Streams::Impl::end_capture() {
  for (Slot* s : live.in_order()) {
    if (!s->listener) {
      if (s->any_loss != losses.any_loss) {
        const auto lost = static_cast<model::Taints>(Taint::events_lost);
        s->pair.out.end(End::capture, shared.now, shared.now, lost);
        s->pair.in.end(End::capture, shared.now, shared.now, lost);
      }
      const std::size_t from = out.size();
      s->pair.advance(true, shared, out);
      if (s->carrier) sessions.handed_on(*s, from);
    }
    note(*s);
  }
  sessions.end_capture();
  live.clear();
  wakes = {};
}

Streams::Streams(model::PartlyRead partly) : impl_(std::make_unique<Impl>(std::move(partly))) {}
Streams::~Streams() = default;

std::span<const model::ByteRun> Streams::push(const Event& event) {
  Impl& i = *impl_;
  i.out.clear();
  if (event.time > i.shared.now) {
    i.shared.now = event.time;
    if (!i.wakes.empty()) i.wake();
    if (i.sessions.any()) i.sessions.wake();
  }
  if (const auto* io = std::get_if<formats::Io>(&event.body))
    i.on(event, *io);
  else if (const auto* a = std::get_if<formats::Arrival>(&event.body))
    i.on(event, *a);
  else if (const auto* c = std::get_if<formats::StateChange>(&event.body))
    i.on(event, *c);
  else if (const auto* info = std::get_if<formats::SocketInfo>(&event.body))
    i.on(event, *info);
  else if (const auto* r = std::get_if<formats::Reset>(&event.body))
    i.on(event, *r);
  else if (const auto* t = std::get_if<formats::Retransmit>(&event.body)) {
    if (Slot* s = i.live.find(t->socket)) ++s->facts.retransmits;
  } else if (const auto* tls = std::get_if<formats::TlsIo>(&event.body)) {
    i.sessions.on(event, *tls);
  } else if (const auto* step = std::get_if<formats::TlsStep>(&event.body)) {
    i.sessions.on(event, *step);
  } else if (std::holds_alternative<formats::TaskExit>(event.body) ||
             std::holds_alternative<formats::TaskExec>(event.body)) {
    if (i.sessions.any()) i.sessions.exited(event);
  } else if (std::holds_alternative<formats::Damage>(event.body)) {
    i.losses.add(false);
    i.losses_in_tls.add(false);
    i.sessions.lost();
  } else if (const auto* loss = std::get_if<formats::Loss>(&event.body)) {
    // Losses of sends, receives and arrivals in the ring are counted on their socket (missed); others are not.
    const auto kind = static_cast<formats::Kind>(loss->kind);
    const bool plaintext = kind == formats::Kind::tls_send || kind == formats::Kind::tls_receive;
    const bool on_socket =
        loss->cause == formats::LossCause::ring_full &&
        (kind == formats::Kind::send || kind == formats::Kind::receive || kind == formats::Kind::arrival || plaintext);
    if (loss->count > 0 && kind != formats::Kind::off_cpu) {
      // What was sent and read without TLS is whole where only TLS was lost.
      if (!plaintext && kind != formats::Kind::tls_step) i.losses.add(on_socket);
      i.losses_in_tls.add(on_socket);
      i.sessions.lost();
    }
  } else if (std::holds_alternative<formats::CaptureEnd>(event.body)) {
    i.end_capture();
  }
  return i.out.runs();
}

bool Streams::views_held() const { return impl_->out.keeps(); }
Streams::Held Streams::take_held() { return impl_->out.take_kept(); }
const model::Connection* Streams::add(const model::FailedName& name) { return impl_->facts.add(name); }
const model::Connection* Streams::connection(model::ConnectionId id) const { return impl_->facts.find(id); }
const model::TlsSessions& Streams::tls() const { return impl_->sessions.counts(); }
std::uint32_t Streams::connections() const { return impl_->facts.size(); }
const model::Findings& Streams::findings() const { return impl_->shared.findings; }

}  // namespace tailcap::streams
