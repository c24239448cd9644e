#include "capture/decrypt/decryptor.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <algorithm>
#include <iterator>
#include <utility>
#include <vector>

#include "bpf/event.h"
#include "capture/host/system_file.h"
#include "ground/tls_record.h"

namespace tailcap::capture::decrypt {

using namespace formats;

namespace {

// The kernel programs' own numbers of sessions are counted from 1, so this bit is free in them; formats/machine.h needs
// those from 56 on.
constexpr std::uint64_t kByKeys = std::uint64_t{1} << 55;
constexpr std::int32_t kAlertByPeer = 1000;
constexpr Duration kHandshake = std::chrono::seconds{60};  // at most, of most
constexpr std::size_t kMaxFresh = 1u << 18;
constexpr std::size_t kOutputs = 256;  // room that is kept for the next ones
constexpr unsigned kMostPlain = 16;    // I/Os in which the ends agree on TLS (PostgreSQL, MySQL, NATS, STARTTLS)
constexpr std::string_view kPreface = "PRI * HTTP/2.0";

}  // namespace

Decryptor::Output::~Output() {
  wipe(head.data(), head.size());
  wipe(tail.data(), tail.size());
}

bool Decryptor::lock_memory() {
  // A device can be added later, so all memory is locked in any case.
  const rlimit all{RLIM_INFINITY, RLIM_INFINITY};
  // Otherwise memory that is asked for later would be refused.
  if (setrlimit(RLIMIT_MEMLOCK, &all) == 0 && mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == 0) return true;
  const std::string swaps = read_system_file("/proc/swaps", 4096);
  return std::count(swaps.begin(), swaps.end(), '\n') == 1;  // only the heading: there is no such device
}

void Decryptor::secret(std::span<const std::byte> record, Time now) {
  const KeyLog::Entry* entry = keys_.add(record);
  if (!entry) return;
  if (other_) derived(*entry, now);
  const std::vector<SocketId> waiting(waiting_.begin(), waiting_.end());
  for (const SocketId socket : waiting) {
    const auto found = connections_.find(socket);
    if (found == connections_.end() || !found->second.connection) {
      waiting_.erase(socket);
      continue;
    }
    found->second.connection->retry(keys_, now);
    settle(socket, found->second);
  }
}

void Decryptor::keys_from(std::uint32_t pid, Time since) {
  if (late_.size() >= KeyLog::kMaxProcesses) late_.erase(late_.begin());
  late_[pid] = since;
  for (auto& [socket, entry] : connections_)
    if (entry.connection && entry.connection->pid() == pid) entry.connection->keys_from(since);
}

void Decryptor::take(const Event& event) {
  while (!broken_.empty() && broken_.front().first < event.time) forget_broken(event.time);
  if (other_ && known(event.time)) look_for_unmet(event.time);
  if (const auto* io = std::get_if<Io>(&event.body)) {
    if (io->length > 0 && io->error == 0) moved(event, *io);
  } else if (const auto* change = std::get_if<StateChange>(&event.body)) {
    if (change->to == TcpState::close) closed(*change, event.time);
  } else if (const auto* info = std::get_if<SocketInfo>(&event.body)) {
    const bool begins = info->origin == Origin::connected || info->origin == Origin::accepted;
    if (other_ && begins && fresh_.size() < kMaxFresh) fresh_.insert(info->socket);
  } else if (std::holds_alternative<TaskExit>(event.body)) {
    if (event.thread.pid == event.thread.tid) {
      keys_.forget(event.thread.pid);
      late_.erase(event.thread.pid);
    }
  }
}

void Decryptor::moved(const Event& event, const Io& io) {
  auto found = connections_.find(io.socket);
  const bool first = found == connections_.end();
  if (first) {
    if (connections_.size() >= kMaxConnections) return;
    found = connections_.try_emplace(io.socket).first;
  }
  Entry& entry = found->second;
  if (!entry.connection && entry.plain < kMostPlain) {
    if (!io.head.empty() && io.head[0] == 0x16 && (first || ground::tls::plausible(io.head))) {
      entry.plain = kMostPlain;
      entry.connection = begin(io.socket, event.thread.pid);
      if (!entry.connection) return;
      entry.live = true;
      if (++live_ > kMaxLive) entry.connection->drop();
    } else if (first && io.missed > 0 && ground::tls::plausible(io.head)) {  // its beginning was lost
      entry.connection = std::make_unique<Connection>();
      entry.connection->drop();
    } else {
      ++entry.plain;
    }
  }
  if (!entry.connection) return;
  entry.connection->moved(event, io, keys_);
  settle(io.socket, entry);
}

// Null: it is left to probes.
std::unique_ptr<Connection> Decryptor::begin(SocketId socket, std::uint32_t pid) {
  if (!other_) return std::make_unique<Connection>();
  if (others_.contains(pid)) return nullptr;
  auto connection =
      std::make_unique<Connection>(fresh_.contains(socket) ? Connection::Proof::if_known : Connection::Proof::always);
  if (const auto late = late_.find(pid); late != late_.end()) connection->keys_from(late->second);
  return connection;
}

// What keys do not read, of a connection that is over.
void Decryptor::leave(Connection& connection) {
  if (!connection.began() || connection.left_once()) return;
  const std::uint32_t pid = connection.pid();
  if (connection.unread() == Unread::no_keys && connection.starved() && !keys_.knows(pid)) return leave_process(pid);
  // The kernel programs know its cipher, or that it has early data.
  if (connection.unread() == Unread::other && connection.session() != 0 && (connection.session() & TLS_UNDER_WAY) == 0)
    return other_->wanted(pid);
  if (connection.unread() != Unread::unsupported) return;
  if (connection.session() != 0) {  // early data
    other_->take(TLS_SESSION_NUMBER(connection.session()));
  } else {
    const auto ids = KeyLog::ids_of(connection.hellos());
    const KeyLog::Entry* found = nullptr;
    for (const std::string& id : ids)
      if (const KeyLog::Entry* entry = keys_.find(pid, id)) found = entry;
    if (found)
      hand_over(*found);
    else if (awaited_.size() < kMaxConnections)
      for (const std::string& id : ids) awaited_.emplace(pid, id);
  }
  other_->wanted(pid);
}

// The keys of a connection that is not read.
void Decryptor::hand_over(const KeyLog::Entry& entry) {
  if (entry.session == 0)
    for (std::uint64_t& lost : lost_) lost++;
  else if ((entry.session & TLS_LEFT_TO_PROBES) == 0)
    other_->take(TLS_SESSION_NUMBER(entry.session));
}

// All of its connections: keys are derived elsewhere, or for connections that are not on its sockets.
void Decryptor::leave_process(std::uint32_t pid) {
  others_.insert(pid);
  keys_.forget(pid);
  for (auto& [socket, entry] : connections_) {
    if (!entry.connection || entry.connection->pid() != pid || &entry == settling_) continue;
    memory_ -= std::exchange(entry.memory, 0);
    end(entry);
    waiting_.erase(socket);
    entry.waits = false;
    entry.connection.reset();
  }
  other_->take(TLS_PROCESS_BIT | pid);
  other_->wanted(pid);
}

void Decryptor::derived(const KeyLog::Entry& entry, Time now) {
  const Id id{entry.pid, entry.id};
  if (others_.contains(entry.pid)) return keys_.forget(entry.pid);
  if (awaited_.erase(id) > 0) hand_over(entry);
  entry.met = entry.met || met_.contains(id);
  // The hellos of a handshake that was under way when recording began were not seen.
  if (!known(began_)) began_ = now;
  const bool certain = entry.session != 0 ? (entry.session & TLS_LEFT_TO_PROBES) == 0 : now - began_ > kHandshake;
  if (certain && !entry.met && entry.first() && other_->all_seen && unmet_.size() < kMaxConnections)
    unmet_.emplace_back(now + kUnmet, id);
}

// Both of its hellos were seen.
void Decryptor::meet(Entry& entry) {
  entry.met = true;
  const std::uint32_t pid = entry.connection->pid();
  entry.derivations = KeyLog::ids_of(entry.connection->hellos());
  for (const std::string& id : entry.derivations) {
    met_.emplace(pid, id);
    if (const KeyLog::Entry* found = keys_.find(pid, id)) found->met = true;
  }
}

// Keys that were derived for a connection whose hellos are on no socket of the process.
void Decryptor::look_for_unmet(Time now) {
  while (!unmet_.empty() && unmet_.front().first < now) {
    const Id unmet = unmet_.front().second;
    const std::uint32_t pid = unmet.first;
    unmet_.pop_front();
    const KeyLog::Entry* entry = keys_.find(pid, unmet.second);
    if (!entry || std::exchange(entry->met, true)) continue;
    if (entry->session & TLS_UNDER_WAY) {
      hand_over(*entry);
      continue;
    }
    // Neither keys nor probes have read what was sent on these until now.
    const auto missed = 1 + std::count_if(unmet_.begin(), unmet_.end(), [&](const auto& other) {
                          const KeyLog::Entry* later =
                              other.second.first == pid ? keys_.find(pid, other.second.second) : nullptr;
                          return later && !later->met && (later->session & TLS_UNDER_WAY) == 0;
                        });
    for (std::uint64_t& lost : lost_) lost += static_cast<std::uint64_t>(missed);
    leave_process(pid);
  }
}

bool Decryptor::covers(SocketId socket) const {
  const auto found = connections_.find(socket);
  return found == connections_.end() ? connections_.size() >= kMaxConnections : found->second.connection != nullptr;
}

// After it has taken something.
void Decryptor::settle(SocketId socket, Entry& entry) {
  Connection& connection = *entry.connection;
  const auto account = [&] {
    const std::size_t now = connection.memory();
    memory_ += now - std::exchange(entry.memory, now);
  };
  account();
  if (memory_ > kMaxMemory && !connection.over()) {
    connection.drop();
    account();
  }
  gather(socket, entry);
  if (connection.waits() != entry.waits) {
    entry.waits = !entry.waits;
    if (entry.waits)
      waiting_.insert(socket);
    else
      waiting_.erase(socket);
  }
  if (other_ && !entry.met && connection.began()) meet(entry);
  settling_ = &entry;
  if (connection.over() && other_) leave(connection);
  settling_ = nullptr;
  if (connection.over() && entry.live) end(entry);
  if (connection.over() || connection.has_unread_calls()) tally(connection);
  if (!entry.known && connection.read_any()) {
    entry.known = true;
    Process& of = process(connection.pid());
    of.known = true;
    count_calls(of);
  }
}

// It needs neither memory nor secrets any more.
void Decryptor::end(Entry& entry) {
  if (!std::exchange(entry.live, false)) return;
  live_--;
  for (const std::string& id : entry.connection->take_used()) keys_.spend(entry.connection->pid(), id);
}

Decryptor::Process& Decryptor::process(std::uint32_t pid) {
  Process& found = processes_[pid];
  if (processes_.size() <= KeyLog::kMaxProcesses) return found;
  const auto other = processes_.begin()->first == pid ? std::next(processes_.begin()) : processes_.begin();
  processes_.erase(other);
  return found;
}

// Counts what was not read, where it could be expected to be: of processes whose secrets are seen.
void Decryptor::tally(Connection& connection) {
  Process& of = process(connection.pid());
  of.known = of.known || keys_.knows(connection.pid());
  const auto unread = connection.take_unread_calls();
  for (std::size_t i = 0; i < unread.size(); i++) of.calls[i] += unread[i];
  count_calls(of);
  if (connection.over() && !connection.counted_once() && connection.began())
    of.connections[static_cast<std::size_t>(connection.unread())]++;
}

void Decryptor::count_calls(Process& process) {
  if (!process.known && !secrets_lost_) return;
  for (std::size_t i = 0; i < lost_.size(); i++) lost_[i] += std::exchange(process.calls[i], 0);
}

void Decryptor::secrets_lost() {
  secrets_lost_ = true;
  for (auto& [pid, process] : processes_) count_calls(process);
}

void Decryptor::finish(Time now) {
  while (!broken_.empty()) forget_broken(now);
  for (auto& [socket, entry] : connections_) {
    if (!entry.connection || entry.connection->over() || !entry.connection->waits()) continue;
    entry.connection->drop();
    tally(*entry.connection);
    end(entry);
  }
  waiting_.clear();
}

Decryptor::Counts Decryptor::counts() const {
  Counts counts{read_, 0, 0, 0};
  for (const auto& [pid, process] : processes_) {
    if (!process.known) continue;
    counts.no_keys += process.connections[static_cast<std::size_t>(Unread::no_keys)];
    counts.unsupported += process.connections[static_cast<std::size_t>(Unread::unsupported)];
    counts.damaged += process.connections[static_cast<std::size_t>(Unread::damaged)];
  }
  return counts;
}

void Decryptor::gather(SocketId socket, Entry& entry) {
  std::vector<Content>& contents = entry.connection->contents();
  if (contents.empty()) return;
  // An alert before anything is encrypted: other libraries have probes for those.
  if (!entry.known && !keys_.knows(entry.connection->pid()))
    std::erase_if(contents, [](const Content& c) {
      return c.kind == Content::Kind::alert || c.kind == Content::Kind::handshake_begun;
    });
  if (!contents.empty() && entry.session == 0) entry.session = kTlsSessionBit | kByKeys | ++sessions_begun_;
  const TlsLibrary library = entry.connection->of_go() ? TlsLibrary::go : TlsLibrary::openssl;
  for (Content& content : contents) emit(socket, entry.session, library, std::move(content));
  contents.clear();
}

void Decryptor::emit(SocketId socket, TlsSessionId session, TlsLibrary library, Content&& content) {
  Output& out = outputs_.emplace_back();
  Event& event = out.event;
  event.time = content.moment.done;
  event.thread = content.moment.thread;
  event.goroutine = content.moment.goroutine;
  const TlsSessionId id = session;
  using Kind = Content::Kind;
  switch (content.kind) {
    case Kind::handshake_done:
      read_++;
      [[fallthrough]];
    case Kind::handshake_begun:
      event.body = TlsStep{id, library, TlsStepKind::handshake, 0};
      return;
    case Kind::shutdown:
      event.body = TlsStep{id, library, TlsStepKind::shutdown, 0};
      return;
    case Kind::alert:
      // Only the alert is known of what this end found wrong, not the library's reason.
      event.body = content.direction == Direction::in
                       ? TlsStep{id, library, TlsStepKind::failed, content.alert + kAlertByPeer}
                       : TlsStep{id, library == TlsLibrary::go ? library : TlsLibrary::unknown, TlsStepKind::failed,
                                 content.alert};
      return;
    case Kind::end:
    case Kind::bytes:
      break;
  }
  auto& io = event.body.emplace<TlsIo>();
  io.session = id;
  io.direction = content.direction;
  io.payload = Payload::captured;
  io.continued = content.continues;
  io.missed = content.missed;
  io.length = content.length;
  io.position = content.position;
  io.began = content.moment.began;
  out.head = std::move(content.head);
  out.tail = std::move(content.tail);
  if (content.of_client && content.length > 0 && content.position == 0 && !out.head.starts_with(kPreface))
    heads_(socket);
}

Event* Decryptor::next() {
  if (given_ == outputs_.size()) {
    given_ = 0;
    outputs_.clear();
    if (outputs_.capacity() > kOutputs) outputs_.shrink_to_fit();
    return nullptr;
  }
  Output& out = outputs_[given_++];
  if (auto* io = std::get_if<TlsIo>(&out.event.body)) {
    io->head = out.head;
    io->tail = out.tail;
  }
  return &out.event;
}

// Its process still reads what had arrived before a reset.
void Decryptor::closed(const StateChange& change, Time now) {
  const auto found = connections_.find(change.socket);
  if (change.error == 0 || found == connections_.end() || !found->second.connection) return forget(change.socket, now);
  broken_.emplace_back(now + kUnread, change.socket);
  if (broken_.size() > kMaxBroken) forget_broken(now);
}

void Decryptor::forget_broken(Time now) {
  const SocketId socket = broken_.front().second;
  broken_.pop_front();
  forget(socket, now);
}

void Decryptor::forget(SocketId socket, Time now) {
  fresh_.erase(socket);
  const auto found = connections_.find(socket);
  if (found == connections_.end()) return;
  Entry& entry = found->second;
  for (const std::string& id : entry.derivations) {
    if (!entry.connection) break;
    met_.erase({entry.connection->pid(), id});
    awaited_.erase({entry.connection->pid(), id});
  }
  if (Connection* connection = entry.connection.get()) {
    memory_ -= entry.memory;
    if (!connection->over() && connection->waits()) {
      connection->drop();
      tally(*connection);
    }
    end(entry);
    if (entry.session != 0) {
      Output& out = outputs_.emplace_back();
      out.event.time = now;
      out.event.thread = {connection->pid(), connection->pid()};
      out.event.body =
          TlsStep{entry.session, connection->of_go() ? TlsLibrary::go : TlsLibrary::openssl, TlsStepKind::freed, 0};
    }
  }
  waiting_.erase(socket);
  connections_.erase(found);
}

}  // namespace tailcap::capture::decrypt
