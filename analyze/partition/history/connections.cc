// What threads did on connections, on those with requests and on others, and with files.
#include <charconv>
#include <utility>

#include "analyze/partition/history/observed.h"
#include "formats/event.h"

namespace tailcap::partition {

namespace {

constexpr std::uint8_t kMostlyWindow = 50;        // per cent
constexpr Nanos kLongestDelay = 200'000'000;      // of an acknowledgement, by Linux
constexpr std::uint32_t kClosing = 0x80;          // formats::StallKind::undelivered
constexpr std::uint32_t kPercent = kClosing - 1;  // likewise
// What a TCP socket takes before its buffer is full, unless the program made that smaller (net.ipv4.tcp_wmem).
constexpr std::uint64_t kBuffer = 16 << 10;

using formats::Event;
using formats::nanoseconds;

}  // namespace

const EndLog* Observed::end(model::ConnectionId connection) const {
  return connection != 0 && connection < ends_.size() ? &ends_[connection] : nullptr;
}

model::ConnectionId Observed::connection_of(formats::SocketId socket) const {
  const auto it = socket == 0 ? by_socket_.end() : by_socket_.find(socket);
  return it == by_socket_.end() ? 0 : it->second;
}

const Stranger* Observed::stranger(formats::SocketId socket) const {
  const auto it = strangers_.find(socket);
  return it == strangers_.end() ? nullptr : &it->second;
}

void Observed::full(Nanos at, formats::SocketId socket) {
  const model::ConnectionId connection = connection_of(socket);
  if (connection == 0) return;
  noting(connection).full.add({at, at});
  ++kept_;
}

std::uint32_t Observed::host_of(model::ConnectionId connection) const {
  return connection != 0 && connection < carriers_.size() ? peers_.host_of(carriers_[connection].socket) : 0;
}

std::uint32_t Observed::client_of(model::ConnectionId connection) const {
  return connection != 0 && connection < carriers_.size() ? peers_.client_of(carriers_[connection].socket) : 0;
}

void Observed::held(Nanos at, const formats::Stall& stall) {
  const model::ConnectionId connection = connection_of(stall.where);
  const Nanos began = known(stall.began) ? nanoseconds(stall.began) : at;
  if (connection == 0 || began >= at) return;
  HeldBytes held{began, at, stall.what == formats::StallKind::nagle, 0, 0};
  held.window = held.nagle ? std::uint8_t{0} : static_cast<std::uint8_t>(std::min(stall.detail & kPercent, 100u));
  held.round_trip = Nanos{1000} * (held.nagle ? stall.detail : stall.detail >> 8);
  noting(connection).held.add(held);
  ++kept_;
  // The send that left them returned a moment later.
  const auto row = windows_.at(connection, began);
  if (!row || undelivered_.size() >= kMaxUndelivered) return;
  const Window w = windows_.window(*row);
  // The last bytes were not sent before this.
  const Nanos sent = at - (!held.nagle && (stall.detail & kClosing) != 0 ? kLongestDelay : 0);
  if (!w.server() || w.streams || !w.ended() || std::max(w.to, began) >= sent) return;
  model::Undelivered out;
  out.request = w.id;
  out.time = sent - std::max(w.to, began);
  out.label = held.nagle                     ? model::Label::net_nagle
              : held.window >= kMostlyWindow ? model::Label::send_sndbuf
                                             : model::Label::send_cwnd;
  out.window = held.window;
  out.round_trip = held.round_trip;
  out.peer = host_of(connection);
  undelivered_.push_back(out);
}

Moved Observed::moved_on(model::ConnectionId connection, Nanos at, Windows::Places& places) const {
  Moved out;
  out.connection = connection;
  if (const auto row = windows_.moved(connection, at, places, out.shared)) {
    out.owner = windows_.owner(*row);
    const bool own = out.owner == windows_.table().rows.id(*row);
    out.last = own ? windows_.over(*row, at) : windows_.over(out.owner, at);
    out.served = !own || windows_.table().rows.role(*row) == model::Role::server;
  }
  return out;
}

// For a TLS session, its own calls report the moved bytes.
bool Observed::acts(model::ConnectionId connection, const formats::Io& io) const {
  return connection != 0 && io.error == 0 && carriers_[connection].session == 0 && !io.continued;
}

Moved Observed::moved(const Event& event, Windows::Places& places) const {
  Moved out;
  if (const auto* io = std::get_if<formats::Io>(&event.body)) {
    out.connection = connection_of(io->socket);
    if (acts(out.connection, *io)) return moved_on(out.connection, nanoseconds(event.time), places);
  } else if (const auto* tls = std::get_if<formats::TlsIo>(&event.body)) {
    const auto it = by_session_.find(tls->session);
    if (it != by_session_.end() && !tls->continued) return moved_on(it->second, nanoseconds(event.time), places);
  } else if (const auto* arrival = std::get_if<formats::Arrival>(&event.body)) {
    out.connection = connection_of(arrival->socket);
  } else if (const auto* again = std::get_if<formats::Retransmit>(&event.body)) {
    out.connection = connection_of(again->socket);
  }
  return out;
}

EndLog& Observed::noting(model::ConnectionId connection) {
  EndLog& end = ends_[connection];
  if (!end.listed) ends_listed_.push_back(connection);
  end.listed = true;
  return end;
}

void Observed::act(const Event& event, const Moved& moved, bool out) {
  Act act;
  act.time = nanoseconds(event.time);
  act.goroutine = event.goroutine;
  act.connection = moved.connection;
  act.tid = event.thread.tid;
  act.out = out;
  act.owner = moved.owner;
  act.shared = moved.shared;
  act.last = moved.last;
  act.served = moved.served;
  EndLog& end = noting(act.connection);
  if (end.acts.size() == 0 && act.served && act.connection < carriers_.size())
    took(event, carriers_[act.connection].socket, act.connection);
  end.acts.add(act);
  ++kept_;
  if (ThreadLog* log = find_or_add(event.thread)) {
    if (log->acted == 0 && begun_ != 0 && act.time >= begun_) log->acted = act.time;
    if (log->known_since == 0 && log->born != 0 && waits_recorded_) log->known_since = act.time;
    // A loop that is never idle does not wait for descriptors, but turns to one connection before it is done with
    // another.
    const Act* before = log->multiplexes ? nullptr : log->acts.last_until(act.time);
    if (before && before->served && act.served && before->connection != act.connection && before->owner != act.owner &&
        !windows_.over(before->owner, act.time) && windows_.ends(before->owner))
      multiplexes(event.thread.tid, *log);
    log->acts.add(act);
    ++kept_;
  }
  Sighting s;
  s.time = act.time;
  s.tid = act.tid;
  s.connection = act.connection;
  s.out = out;
  sight(event, s);
}

void Observed::note_loss(EndLog& end, Nanos at, std::uint16_t missed) {
  if (missed > 0 && end.last_event < at) {
    end.lost.add({std::max<Nanos>(end.last_event, 1), at});
    ++kept_;
  }
  end.last_event = std::max(end.last_event, at);
}

void Observed::io(const Event& event, const formats::Io& io, const Moved& moved) {
  const model::ConnectionId connection = moved.connection;
  const Nanos at = nanoseconds(event.time);
  if (io.length > 0 && io.error == 0) peers_.used(io.socket, event.thread.pid);
  if (connection == 0) {
    exchanged(event, io);
    if (io.direction == formats::Direction::out && pids_.contains(event.thread.pid)) {
      processes_[event.thread.pid].signals.add({at, event.thread.tid, 0});
      ++kept_;
    }
    return;
  }
  EndLog& end = noting(connection);
  note_loss(end, at, io.missed);
  if (io.error != 0) return;
  const bool out = io.direction == formats::Direction::out;
  (out ? end.sent : end.read)
      .add({at, static_cast<std::uint32_t>(io.position), static_cast<std::uint32_t>(io.position + io.length)});
  ++kept_;
  if (acts(connection, io)) act(event, moved, out);
}

void Observed::exchanged(const Event& event, const formats::Io& io) {
  const auto stranger = strangers_.find(io.socket);
  if (io.error != 0 || stranger == strangers_.end()) return;
  const bool out = io.direction == formats::Direction::out;
  if (io.length > 0 && !stranger->second.moved) first_bytes(event, io.socket, stranger->second, out);
  if (!pids_.contains(event.thread.pid)) return;
  ThreadLog* log = find_or_add(event.thread);
  if (!log) return;
  log->elsewhere.add({nanoseconds(event.time), io.socket, event.goroutine, out});
  ++kept_;
  if (io.length == 0) return;
  Sighting s;
  s.time = nanoseconds(event.time);
  s.tid = event.thread.tid;
  s.socket = io.socket;
  s.out = out;
  sight(event, s);
}

// Which end asks, for which request, and who takes that up.
void Observed::first_bytes(const Event& event, formats::SocketId socket, Stranger& stranger, bool out) {
  stranger.moved = true;
  const bool observed = pids_.contains(event.thread.pid);
  if (out) {
    if (!stranger.fresh || !observed) return;
    if (stranger.on_path) stranger.asks = true;
    if (stranger.asks && stranger.asker.connection == 0)
      stranger.asker = asks_for(event.thread.tid, nanoseconds(event.time));
    return;
  }
  const formats::SocketId other = peers_.other_end(socket);
  const auto asker = strangers_.find(other);
  if (!stranger.fresh || asker == strangers_.end() || !asker->second.asks) return;
  if (!pids_.contains(peers_.process_of(other))) return;
  pids_.insert(event.thread.pid);  // its threads work for requests from here on
  if (!find_or_add(event.thread)) return;
  stranger.taken = nanoseconds(event.time);
  stranger.taker = event.thread.tid;
}

// A loop asks for a request only where, since it last waited, it has turned to no other, or has asked for that one,
// too, before it turned to this one: it does not read for all first.
model::ExchangeId Observed::asks_for(std::uint32_t tid, Nanos at) {
  const auto thread = threads_.find(tid);
  ThreadLog* log = thread == threads_.end() ? nullptr : &thread->second;
  const Act* last = log ? log->acts.last_until(at) : nullptr;
  if (!last || !last->served || windows_.over(last->owner, at)) return {};
  const model::ExchangeId before = std::exchange(log->asked_for, {});
  if (!log->multiplexes) return last->owner;
  const OffCpuWait* w = log->waits.last_until(at);
  while (w && w->blocked != Blocked::poll) w = w == log->waits.begin() ? nullptr : w - 1;
  if (!w || last->time < w->back) return {};
  for (const Act* a = last; a != log->acts.begin() && (a - 1)->time >= w->back; --a) {
    const model::ExchangeId other = (a - 1)->owner;
    if (other == before && other.connection != 0 && log->asked >= (a - 1)->time && log->asked <= last->time) break;
    if (other != last->owner && !windows_.over(other, at)) return {};
  }
  log->asked = at;
  return log->asked_for = last->owner;
}

// The end that connected, or whose port is one that the kernel chooses where the other's is not (ip_local_port_range).
bool Observed::asks(const formats::SocketInfo& info) {
  constexpr std::uint16_t kFirstChosen = 32768;
  if (info.origin != formats::Origin::existed) return info.origin == formats::Origin::connected;
  return info.remote.port != 0 && info.remote.port < kFirstChosen && info.local.port >= kFirstChosen;
}

void Observed::describe(const formats::SocketInfo& info) {
  const model::ConnectionId connection = connection_of(info.socket);
  const bool carries = connection != 0;
  if (carries && info.family == formats::Family::unix_domain) ends_[connection].unix_domain = true;
  const std::uint32_t peer = peers_.describe(info, !carries || info.origin != formats::Origin::accepted, carries);
  if (carries || (strangers_.size() >= kMaxStrangers && !strangers_.contains(info.socket))) return;
  Stranger& s = strangers_[info.socket];
  s.origin = info.origin;
  s.name_server = info.type == formats::SocketType::datagram && info.remote.port == 53;
  s.peer = peer;
  s.asks = s.asks || asks(info);
  s.fresh = info.origin != formats::Origin::existed;
  s.on_path = info.family == formats::Family::unix_domain && !info.path.empty() && s.fresh;
}

// The first that is seen of a thread with an accepted connection.
void Observed::took(const Event& event, formats::SocketId socket, model::ConnectionId connection) {
  EndLog& end = ends_[connection];
  if (end.accepter != 0) return;
  end.accepter = event.thread.tid;
  ThreadLog* log = pids_.contains(event.thread.pid) ? find_or_add(event.thread) : nullptr;
  if (!log) return;
  if (log->open > 0) log->serves_several = true;
  if (accepters_.size() >= kMaxStrangers || !accepters_.emplace(socket, event.thread.tid).second)
    log->serves_several = true;
  else
    ++log->open;
}

Observed::Queued Observed::queued(model::ConnectionId connection) const {
  const EndLog* end = this->end(connection);
  if (end && end->accepted != 0) return {end->accepted, model::Evidence::measured};
  if (connection >= carriers_.size()) return {};
  return {queues_.queued_until(carriers_[connection].socket), model::Evidence::inferred};
}

void Observed::closed(const formats::StateChange& change, Nanos at) {
  using formats::TcpState;
  if (change.to == TcpState::close)
    if (const model::ConnectionId connection = connection_of(change.socket); connection != 0)
      ends_[connection].closed = at;
  if (change.to != TcpState::fin_wait1 && change.to != TcpState::last_ack && change.to != TcpState::close) return;
  const auto found = accepters_.find(change.socket);
  if (found == accepters_.end()) return;
  if (const auto thread = threads_.find(found->second); thread != threads_.end() && thread->second.open > 0)
    --thread->second.open;
  accepters_.erase(found);
}

// The thread is on the change to SYN_SENT; what ends an attempt mostly happens in interrupts.
void Observed::change(const Event& event, const formats::StateChange& change) {
  using formats::TcpState;
  const Nanos at = nanoseconds(event.time);
  if (connection_of(change.socket) != 0) return;
  if (change.to == TcpState::syn_sent) {
    if (!change.by_thread || !pids_.contains(event.thread.pid)) return;
    if (strangers_.size() >= kMaxStrangers && !strangers_.contains(change.socket)) return;
    Stranger& s = strangers_[change.socket];
    s.connecting = at;
    s.by = event.thread;
    s.goroutine = event.goroutine;
    s.asker = asks_for(event.thread.tid, at);
    return;
  }
  const auto found = strangers_.find(change.socket);
  if (found == strangers_.end() || found->second.connecting == 0) return;
  Stranger& s = found->second;
  ProcessLog& process = processes_[s.by.pid];
  Attempt attempt{s.connecting, at, change.socket, s.by.tid, s.peer, {}};
  std::uint64_t goroutine = s.goroutine;
  for (std::size_t i = 0; i < Attempt::kGoroutines && goroutine != 0; ++i) {
    attempt.goroutines[i] = goroutine;
    const auto creator = process.creators.find(goroutine);
    goroutine = creator == process.creators.end() ? 0 : creator->second;
  }
  if (attempt.time < attempt.to) {
    process.attempts.add(attempt);
    ++kept_;
  }
  s.connecting = 0;
}

void Observed::file(const Event& event, const formats::FileCall& call) {
  if (!known(call.began) || call.began > event.time) return;
  FileUse use;
  use.time = nanoseconds(call.began);
  use.to = nanoseconds(event.time);
  use.result = call.result;
  use.goroutine = event.goroutine;
  use.tid = event.thread.tid;
  use.descriptor = call.descriptor;
  use.act = call.act;
  std::string path(call.path);
  const auto number = path_numbers_.find(path);
  if (number != path_numbers_.end()) {
    use.path = number->second;
  } else if (!path.empty() && paths_.size() < kMaxPaths) {
    use.path = static_cast<std::uint32_t>(paths_.size());
    path_numbers_.emplace(path, use.path);
    paths_.push_back(std::move(path));
  }
  processes_[event.thread.pid].files.add(use);
  ++kept_;
}

void Observed::refused(const Event& event, std::string_view by) {
  RefusedLock lock{nanoseconds(event.time), 0};
  const auto [end, bad] = std::from_chars(by.data(), by.data() + by.size(), lock.by);
  ThreadLog* log = bad == std::errc() && end == by.data() + by.size() ? find_or_add(event.thread) : nullptr;
  if (!log) return;
  log->refused.add(lock);
  ++kept_;
}

bool Observed::fills_buffer(model::ConnectionId connection, Nanos since, Nanos at) const {
  const EndLog* const end = this->end(connection);
  if (!end) return false;
  const TimeSpan* full = end->full.first_at(since);
  if (full != end->full.end() && full->time <= at) return true;
  // UNIX sockets: a send that was shortened looks like any other.
  if (full_sends_recorded() && !end->unix_domain) return false;
  std::uint64_t bytes = 0;
  for (const PositionMark* m = end->sent.first_at(since); m != end->sent.end() && m->time <= at && bytes < kBuffer; ++m)
    bytes += static_cast<std::uint32_t>(m->end - m->begin);
  return bytes >= kBuffer;
}

}  // namespace tailcap::partition
