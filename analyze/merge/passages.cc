#include "analyze/merge/passages.h"

#include <algorithm>
#include <cstring>

#include "formats/event.h"
#include "formats/thread_event.h"

namespace tailcap::merge {

using formats::Event;
using formats::Family;

namespace {

constexpr std::uint16_t kNoSyscall = 0xffff;  // a worker of the kernel: it is in no call while it sends
constexpr std::size_t kMaxEnds = 1u << 20, kMaxThreads = 1u << 18;

std::uint64_t mixed(std::uint64_t h, std::uint64_t x) {
  h = (h ^ x) * 0x9e3779b97f4a7c15u;
  h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93u;
  return h ^ (h >> 29);
}

// ::ffff:a.b.c.d and a.b.c.d are one address.
struct Place {
  std::uint64_t high = 0, low = 0, port = 0;

  Place(const formats::Address& a, Family family) : port(a.port) {
    std::uint8_t bytes[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    if (family == Family::inet6)
      std::memcpy(bytes, a.bytes.data(), 16);
    else
      std::memcpy(bytes + 12, a.bytes.data(), 4);
    std::memcpy(&high, bytes, 8);
    std::memcpy(&low, bytes + 8, 8);
    // Every machine has these to itself.
    constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff},
                           loopback[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    own = (std::memcmp(bytes, mapped, 12) == 0 && bytes[12] == 127) || std::memcmp(bytes, loopback, 16) == 0;
    any = high == 0 && low == 0;
  }
  bool own = false, any = false;
  std::uint64_t hash(std::uint64_t h) const { return mixed(mixed(mixed(h, high), low), port); }
};

}  // namespace

void Passages::push(const Event& event) {
  if (formats::kind_of(event) == formats::Kind::capture_end || formats::kind_of(event) == formats::Kind::damage) return;
  if (!formats::known(first_) || event.time < first_) first_ = event.time;
  last_ = std::max(last_, event.time);
  if (const auto* io = std::get_if<formats::Io>(&event.body)) {
    if (!io->continued) {
      if (io->direction == formats::Direction::out)
        sent(event, *io);
      else if (io->length > 0)
        arrived(io->socket, static_cast<std::uint32_t>(io->position), event.time);
    }
    returned(event, -1);
  } else if (const auto* a = std::get_if<formats::Arrival>(&event.body)) {
    arrived(a->socket, a->position, event.time);
  } else if (const auto* off = std::get_if<formats::OffCpu>(&event.body)) {
    returned(event, off->syscall < 0 ? -2 : off->syscall);
  } else if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
    note(*info);
  } else if (const auto* change = std::get_if<formats::StateChange>(&event.body)) {
    if (change->to == formats::TcpState::close) ends_.erase(change->socket);
  }
}

void Passages::note(const formats::SocketInfo& info) {
  if (info.type != formats::SocketType::stream || (info.family != Family::inet && info.family != Family::inet6)) return;
  if (info.origin == formats::Origin::listener || info.state == formats::TcpState::listen) return;
  const Place local(info.local, info.family), remote(info.remote, info.family);
  if (local.own || remote.own || local.any || remote.any || local.port == 0 || remote.port == 0) return;
  if (ends_.size() >= kMaxEnds && !ends_.contains(info.socket)) return;
  End end{remote.hash(local.hash(1)), local.hash(remote.hash(1)), 0};
  end.connection = mixed(std::min(end.out, end.in), std::max(end.out, end.in));
  ends_[info.socket] = end;
  if (connections_.size() < kMaxEnds) connections_.insert(end.connection);
}

bool Passages::room(Table& table, std::uint64_t key) {
  if ((key & keep_) != 0) return false;
  while (table.size() >= limit_) {
    keep_ = keep_ << 1 | 1;
    for (Table* t : {&sent_, &arrived_})
      std::erase_if(*t, [&](const auto& entry) { return (entry.first & keep_) != 0; });
  }
  return (key & keep_) == 0;
}

// Called before returned(): the thread's last recorded action is then the one before this send.
void Passages::sent(const Event& event, const formats::Io& io) {
  if (io.length == 0 || io.error != 0) return;
  const auto end = ends_.find(io.socket);
  if (end == ends_.end()) return;
  const std::uint64_t key = mixed(end->second.out, static_cast<std::uint32_t>(io.position));
  if (!room(sent_, key)) return;
  const auto thread = threads_.find(event.thread.tid);
  Time before = formats::kNoTime;
  if (thread != threads_.end()) {
    const Returned& r = thread->second;
    before = r.time;
    if (io.syscall != kNoSyscall) before = std::max(before, r.other);
    // Blocked in a call like this one: perhaps in this very call.
    if (io.syscall != kNoSyscall && r.blocked != io.syscall) before = std::max(before, r.blocked_at);
  }
  if (before >= event.time) before = formats::kNoTime;  // events out of order
  const auto [at, fresh] = sent_.try_emplace(key, Passage{before, event.time, end->second.connection, false});
  if (!fresh) at->second.ambiguous = true;
}

void Passages::arrived(formats::SocketId socket, std::uint32_t position, Time time) {
  const auto end = ends_.find(socket);
  if (end == ends_.end()) return;
  const std::uint64_t key = mixed(end->second.in, position);
  if (!room(arrived_, key)) return;
  const auto [at, fresh] = arrived_.try_emplace(key, Passage{time, time, end->second.connection, false});
  if (!fresh) at->second.time = std::min(at->second.time, time);
}

// The thread came back from something: syscall -1 a call that is over; -2 from off the CPU outside any; else inside
// that one.
void Passages::returned(const Event& event, std::int32_t syscall) {
  if (event.thread.tid == 0) return;
  const auto at = threads_.find(event.thread.tid);
  if (at == threads_.end() && threads_.size() >= kMaxThreads) return;
  Returned& r = at != threads_.end() ? at->second : threads_[event.thread.tid];
  if (syscall == -1) {
    r.time = std::max(r.time, event.time);
  } else if (syscall == -2) {
    r.other = std::max(r.other, event.time);
  } else {
    // It was blocked in two calls; the first is over.
    if (r.blocked != syscall) r.other = std::max(r.other, r.blocked_at);
    r.blocked = syscall;
    r.blocked_at = event.time;
  }
}

Match match(const Passages& ours, const Passages& theirs) {
  Match out;
  ClockFit fit(theirs.first_, theirs.last_);
  const auto each = [&](const Passages::Table& sent, const Passages::Table& arrived, auto&& found) {
    for (const auto& [key, s] : sent) {
      if (s.ambiguous || !formats::known(s.time)) continue;
      const auto a = arrived.find(key);
      if (a == arrived.end() || a->second.connection != s.connection) continue;
      found(s, a->second.time);
      out.joined.insert(s.connection);
    }
  };
  each(ours.sent_, theirs.arrived_,
       [&](const Passages::Passage& sent, Time there) { fit.before(sent.time, sent.likely, there); });
  each(theirs.sent_, ours.arrived_,
       [&](const Passages::Passage& sent, Time here) { fit.after(here, sent.time, sent.likely); });
  out.clock = fit.estimate();
  out.connections = out.joined.size();
  return out;
}

}  // namespace tailcap::merge
