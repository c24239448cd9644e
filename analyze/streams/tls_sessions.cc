#include "analyze/streams/tls_sessions.h"

#include <algorithm>

#include "formats/event.h"

namespace tailcap::streams {

using formats::Event;
using model::BindingHow;
using model::Direction;
using model::End;
using model::Finding;
using model::Taint;

namespace {

// TLS in TLS in TLS is a proxy behind a proxy; a ring of carriers is nonsense.
constexpr int kMaxDepth = 4;

model::Taints lost_if(bool lost) { return lost ? static_cast<model::Taints>(Taint::events_lost) : 0; }

// A session is where its carrier is.
void settle_on(model::Connection& s, const model::Connection& c) {
  s.socket = c.socket;
  s.family = c.family;
  s.type = c.type;
  s.origin = c.origin;
  s.local = c.local;
  s.remote = c.remote;
  s.net_namespace = c.net_namespace;
  s.inode = c.inode;
  s.peer_inode = c.peer_inode;
  s.path = c.path;
  s.connect_started = c.connect_started;
  s.established = c.established;
  s.peer_closed = c.peer_closed;
  s.closed = c.closed;
  s.error = c.error;
  s.reset_received = c.reset_received;
  s.reset_sent = c.reset_sent;
  s.base[0] = c.base[0];
  s.base[1] = c.base[1];
}

}  // namespace

Session* Sessions::open(formats::TlsSessionId id, const Event& e) {
  if (Session* s = live_.find(id)) return s;
  if (id == 0 || live_.size() >= kMaxLive) {
    shared_.findings.add(Finding::socket_unknown);
    return nullptr;
  }
  auto s = std::make_unique<Session>(facts_.add(0, e.time));
  s->id = s->facts.session = id;
  s->facts.tls = true;
  s->pid = e.thread.pid;
  losses_.pass(*s);
  s->pair.in.arrivals_are_told();
  pids_.insert(e.thread.pid);
  any_ = true;
  ++counts_.seen;
  return live_.add(id, std::move(s));
}

void Sessions::on(const Event& e, const formats::TlsStep& step) {
  using Kind = formats::TlsStepKind;
  Session* s = live_.find(step.session);
  const bool fresh = s == nullptr;
  if (!s) {
    if (step.step == Kind::freed || step.step == Kind::shutdown || step.step == Kind::unknown) return;
    if (!(s = open(step.session, e))) return;
  }
  if (step.library != formats::TlsLibrary::unknown) s->facts.library = step.library;
  s->failed = step.step == Kind::failed || (s->failed && step.step != Kind::handshake);
  if (fresh) s->handshake_first = step.step == Kind::handshake;
  if (step.step != Kind::freed) return;
  // Its carrier, too, is mostly closed now; what that says of the end counts. Otherwise both sides were done.
  const bool broken = s->failed && !s->on;
  end(*s, broken ? End::error : End::fin, End::fin, e.time, kHold);
  after(*s);
}

void Sessions::end(Session& s, End in, End out, model::Time at, model::Duration hold) {
  const model::Taints taints = lost_if(s.any_loss != losses_.any_loss);
  s.pair.out.end(out, at, shared_.now + kHold, taints);
  s.pair.in.end(in, at, shared_.now + hold, taints);
}

void Sessions::on(const Event& e, const formats::TlsIo& io) {
  Session* s = open(io.session, e);
  if (!s) return;
  if (io.length == 0) {
    if (io.direction != Direction::in) return;
    if (s->failed)
      s->pair.in.end(End::error, e.time, shared_.now + kHold);
    else
      s->pair.in.read_nothing(s->pair.in.offset_of(io.position, false), e.time, false, shared_);
    return after(*s);
  }
  s->failed = false;
  if (io.missed > 0) {
    s->facts.events_missed += io.missed;
    s->pair.in.missed();
    s->pair.out.missed();
    votes_.lost();
  }
  const bool before = s->on != nullptr;
  const std::span<const Vote> votes = votes_.call(e, io, s->facts.library);
  apply(votes, s);
  if (!before && s->on && io.direction == Direction::in)
    for (const Vote& vote : votes)
      if (vote.session == io.session) s->carried = s->spare = vote.moved;
  if (!s->pair.in.started() && !s->pair.out.started() && began_here(*s)) {
    s->facts.from_start = true;
    s->pair.in.born(0, false);
    s->pair.out.born(0, false);
  }
  DirectionStream& d = s->pair[io.direction];
  Piece piece = piece_of(e, io, d.offset_of(io.position, false), losses_, *s);
  // Sent when the carrier had sent it, inside the call. The thread may have been off the CPU before it returned.
  const TlsCarrier* on = s->on && io.direction == Direction::out ? s->on->carrier.get() : nullptr;
  const bool inside = on && on->last_sender == e.thread && on->last_sent >= io.began && formats::known(io.began) &&
                      on->last_sent <= e.time;
  if (inside) piece.done = on->last_sent;
  const std::size_t from = out_.size();
  if (io.direction == Direction::in) {
    s->reads.push_back(
        {piece.offset, piece.offset + static_cast<std::int64_t>(piece.length), e.time, covered(*s, io.length)});
    resolve(*s);
  }
  d.push(piece, shared_, out_);
  if (s->carrier) handed_on(*s, from);
  after(*s);
}

// Whether its first plaintext was seen: a handshake was, unless the carrier is older than the recording, and this
// another handshake. Or it was in use before its carrier had sent anything, and without that there is no plaintext.
bool Sessions::began_here(const Session& s) {
  if (!s.on) return s.handshake_first && s.facts.how == BindingHow::none;
  if (!s.on->pair.in.first_known()) return false;
  const model::Time sent = s.on->carrier->first_sent;
  return s.handshake_first || (formats::known(sent) && s.facts.first_seen <= sent);
}

void Sessions::moved(Slot& socket, const Event& e, const formats::Io& io) {
  if (io.missed > 0) votes_.lost();
  if (io.error != 0 || io.length == 0) return;
  records_.clear();
  if (!socket.carrier && looks_like_record(io.head)) socket.carries();
  DirectionStream& out = socket.pair.out;
  if (socket.carrier && io.direction == Direction::out && !out.started() && out.first_known())
    socket.carrier->first_sent = e.time;
  if (socket.carrier && io.direction == Direction::out) {
    socket.carrier->last_sent = e.time;
    socket.carrier->last_sender = e.thread;
  }
  if (socket.carrier && io.direction == Direction::in)
    for (Session* s : socket.carrier->sessions) {
      s->carried += io.length;
      s->spare += io.length;
    }
  if (socket.carrier) socket.carrier->records[static_cast<std::size_t>(io.direction)].push(io, records_);
  apply(votes_.transfer(e, io, records_), nullptr);
}

// `now`: the session whose call this is; its piece comes next.
void Sessions::apply(std::span<const Vote> votes, const Session* now) {
  for (const Vote& vote : votes) {
    Session* s = live_.find(vote.session);
    if (!s || s->tally.refused()) continue;
    s->tally.add(vote);
    const VoteTally::Verdict verdict = s->tally.verdict(s->facts.library);
    const bool same = verdict.how == s->facts.how &&
                      (verdict.how == BindingHow::none || !s->on ||
                       (verdict.carrier.session ? s->on->facts.session : s->on->facts.socket) == verdict.carrier.id);
    if (same) continue;
    if (s->facts.how != BindingHow::none) unbind(*s);
    if (verdict.how != BindingHow::none) bind(*s, verdict);
    if (s->tally.refused()) s->pair.in.no_arrivals();
    if (s != now) after(*s);
  }
}

void Sessions::bind(Session& s, const VoteTally::Verdict& verdict) {
  Slot* c = verdict.carrier.session ? live_.find(verdict.carrier.id) : sockets_.find(verdict.carrier.id);
  if (!c || c->listener) return;
  int depth = 0;
  for (const Slot* at = c; at && at->facts.tls; at = static_cast<const Session*>(at)->on)
    if (at == &s || ++depth > kMaxDepth) return;
  auto& sessions = c->carries().sessions;
  if (verdict.how == BindingHow::lengths && !sessions.empty()) {
    // Two claim one socket by nothing but lengths: neither is believed. Nested calls are.
    s.tally.refuse();
    const std::vector<Session*> others = sessions;
    for (Session* other : others) {
      if (other->facts.how != BindingHow::lengths) continue;
      other->tally.refuse();
      unbind(*other);
    }
    return;
  }
  sessions.push_back(&s);
  s.on = c;
  s.carried = s.spare = 0;
  s.counted = false;
  s.facts.carrier = c->facts.id;
  s.facts.how = verdict.how;
  settle_on(s.facts, c->facts);
  if (s.pair.in.started() || s.pair.out.started()) s.facts.from_start = began_here(s);
  if (!c->tcp()) s.pair.in.no_arrivals();
  // Its reads before it was bound are not compared with its carrier's reads.
  if (verdict.how == BindingHow::lengths && (losses_.any_loss != 0 || c->facts.events_missed > 0))
    for (Session::Read& read : s.reads) read.covered = false;
  resolve(s);
}

void Sessions::unbind(Session& s) {
  if (s.on) std::erase(s.on->carrier->sessions, &s);
  s.on = nullptr;
  s.facts.carrier = 0;
  s.facts.how = BindingHow::none;
  settle_on(s.facts, {});
}

// Whether its carrier has read as much as this plaintext needs. What is encrypted is longer, so what is left over adds
// up: it counts for nothing any more as soon as the plaintext is exactly what one record held.
bool Sessions::covered(Session& s, std::uint32_t length) {
  const bool enough = !s.counted || s.spare >= length;
  const std::uint64_t added = s.carried - std::min<std::uint64_t>(s.carried, length);
  const bool exact = added > kRecordHeader && is_record_overhead(added - kRecordHeader);
  s.counted = (s.counted || exact) && s.on && !s.on->facts.tls;
  s.spare = !enough || exact ? 0 : s.spare - std::min<std::uint64_t>(s.spare, length);
  s.carried = 0;
  return enough;
}

// Sets the arrival times of its reads, as far as its carrier knows them by now.
void Sessions::resolve(Session& s) {
  std::size_t n = 0;
  for (; n < s.reads.size(); ++n) {
    const Session::Read& read = s.reads[n];
    if (read.end <= s.pair.in.next()) continue;
    if (!s.on && !s.log) break;
    if (s.on && s.on->pair.in.holds() && s.on->pair.in.front_done() <= read.done) break;
    const ReadLog& log = s.on ? s.on->carrier->reads : *s.log;
    s.pair.in.told(read.begin, read.end, read.covered ? log.at(read.done) : model::kNoTime);
  }
  s.reads.erase(s.reads.begin(), s.reads.begin() + static_cast<std::ptrdiff_t>(n));
}

void Sessions::handed_on(Slot& c, std::size_t from) {
  const std::size_t to = out_.size();
  for (std::size_t i = from; i < to; ++i) {
    const model::ByteRun run = out_[i];
    if (run.connection != c.facts.id) continue;
    if (run.direction == Direction::in && run.length > 0) c.carrier->reads.add(run.done, out_.arrival_of(i));
    // The end of the recording ends each session separately.
    if (run.end == End::none || run.end == End::capture) continue;
    for (Session* s : c.carrier->sessions) {
      settle_on(s->facts, c.facts);
      // What the library holds already can be read for as long as it likes.
      s->pair[run.direction].end(run.end, run.done,
                                 shared_.now + (run.direction == Direction::in ? kUnreadHold : kHold), run.taints);
    }
  }
  if (to == from) return;
  const std::vector<Session*> sessions = c.carrier->sessions;
  for (Session* s : sessions) {
    resolve(*s);
    after(*s);
  }
}

void Sessions::left_out(Slot& c, model::Time at) {
  const std::vector<Session*> sessions = c.carrier->sessions;
  for (Session* s : sessions) {
    for (DirectionStream* d : {&s->pair.out, &s->pair.in})
      d->end(End::capture, at, shared_.now, static_cast<model::Taints>(Taint::left_out));
    after(*s);
  }
}

void Sessions::gone(Slot& c) {
  if (!c.carrier) return;
  for (Session* s : c.carrier->sessions) {
    settle_on(s->facts, c.facts);
    s->on = nullptr;
    s->log = std::make_unique<ReadLog>(c.carrier->reads);
  }
  c.carrier->sessions.clear();
}

void Sessions::note(Session& s) {
  s.facts.bytes_in = s.pair.in.moved();
  s.facts.bytes_out = s.pair.out.moved();
  s.facts.lost_in = s.pair.in.lost();
  s.facts.lost_out = s.pair.out.lost();
}

void Sessions::after(Session& s) {
  const std::size_t from = out_.size();
  s.pair.advance(false, shared_, out_);
  note(s);
  if (s.carrier) handed_on(s, from);
  if (s.pair.ended()) return forget(s);
  if (s.waits) return;
  const model::Time at = s.pair.wakes_at();
  if (!formats::known(at)) return;
  s.waits = true;
  wakes_.push({std::max(at, shared_.now + formats::Duration{1}), s.id, s.facts.id});
}

void Sessions::count(const Session& s) {
  const std::uint64_t bytes = s.pair.in.moved() + s.pair.out.moved();
  if (bytes == 0) return;
  ++counts_.sessions;
  counts_.bytes += bytes;
  switch (s.facts.how) {
    case BindingHow::nested:
      ++counts_.nested;
      break;
    case BindingHow::lengths:
      ++counts_.lengths;
      break;
    case BindingHow::none:
      ++counts_.unbound;
      counts_.unbound_bytes += bytes;
      shared_.findings.add(Finding::tls_unbound);
      break;
  }
}

void Sessions::forget(Session& s) {
  count(s);
  gone(s);
  if (s.on) std::erase(s.on->carrier->sessions, &s);
  facts_.close(s.facts.id);
  live_.erase(s.id);
}

// A process that is gone, or runs another program, has no sessions.
void Sessions::exited(const Event& e) {
  votes_.exited(e.thread.tid);
  if (e.thread.pid != e.thread.tid || pids_.erase(e.thread.pid) == 0) return;
  for (Session* s : live_.in_order()) {
    if (s->pid != e.thread.pid || s->on) continue;
    end(*s, End::error, End::fin, e.time, kHold);
    after(*s);
  }
}

void Sessions::wake() {
  while (!wakes_.empty() && wakes_.top().at <= shared_.now) {
    const Wake w = wakes_.top();
    wakes_.pop();
    Session* s = live_.find(w.session);
    if (!s || s->facts.id != w.id) continue;
    s->waits = false;
    after(*s);
  }
}

void Sessions::end_capture() {
  for (Session* s : live_.in_order()) {
    if (s->any_loss != losses_.any_loss)
      for (DirectionStream* d : {&s->pair.out, &s->pair.in})
        d->end(End::capture, shared_.now, shared_.now, lost_if(true));
    s->pair.advance(true, shared_, out_);
    note(*s);
    count(*s);
  }
  live_.clear();
  wakes_ = {};
}

}  // namespace tailcap::streams
