#include "tests/synth/scenario.h"

#include <algorithm>

namespace tailcap::synth {

Endpoint& Scenario::open(Duration at, const Opening& opening) { return endpoints_.emplace_back(*this, at, opening); }

std::pair<Endpoint&, Endpoint&> Scenario::loopback(Duration at, const Opening& client, Thread server) {
  Opening mine = client, theirs = client;
  if (mine.origin != formats::Origin::existed) mine.origin = formats::Origin::connected;
  if (theirs.origin != formats::Origin::existed) theirs.origin = formats::Origin::accepted;
  theirs.thread = server;
  std::swap(theirs.local, theirs.remote);
  std::swap(theirs.in, theirs.out);
  if (client.family == formats::Family::unix_domain) {
    mine.inode = 900000 + 2 * sockets_;
    mine.peer_inode = mine.inode + 1;
    theirs.inode = mine.peer_inode;
    theirs.peer_inode = mine.inode;
  }
  Endpoint& a = open(at, mine);
  Endpoint& b = open(at, theirs);
  return {a, b};
}

void Scenario::off_cpu(Thread thread, const Off& off) {
  formats::OffCpu body;
  body.left = kStart + off.left;
  body.runnable = off.runnable < Duration{} ? formats::kNoTime : kStart + off.runnable;
  body.waker = off.waker;
  body.state = off.state;
  body.syscall = off.syscall;
  body.argument0 = off.argument0;
  body.argument1 = off.argument1;
  add(off.on, thread, body);
}

void Scenario::start(Duration at, Thread thread, Thread parent, std::string_view comm) {
  add(at, thread, formats::TaskStart{parent, own(comm)});
}

void Scenario::exit(Duration at, Thread thread, int code) { add(at, thread, formats::TaskExit{code}); }

void Scenario::task(Duration at, Thread thread, std::string_view comm, std::string_view command_line) {
  formats::TaskInfo info;
  info.comm = own(comm);
  info.command_line = own(command_line);
  add(at, thread, info);
}

void Scenario::clock(Duration at, std::int64_t realtime) {
  add(at, {}, formats::ClockSnapshot{realtime, formats::nanoseconds(kStart + at), Duration{200}});
}

void Scenario::loss(Duration since, Duration at, formats::Kind kind, std::uint64_t count, formats::LossCause cause) {
  add(at, {}, formats::Loss{kStart + since, cause, static_cast<std::uint8_t>(kind), count});
}

void Scenario::add(Duration at, Thread thread, formats::Body body, std::uint64_t goroutine) {
  events_.push_back({kStart + at, thread, std::move(body), goroutine});
}

std::string_view Scenario::own(std::string_view bytes) { return bytes_.emplace_back(bytes); }

std::pair<std::string_view, std::string_view> Scenario::cut(std::string_view bytes) {
  const std::string_view owned = own(bytes);
  if (owned.size() <= head_limit_) return {owned, {}};
  const std::size_t tail = std::min(tail_limit_, owned.size() - head_limit_);
  return {owned.substr(0, head_limit_), owned.substr(owned.size() - tail)};
}

std::vector<Event> Scenario::events() const {
  std::vector<Event> sorted = events_;
  std::stable_sort(sorted.begin(), sorted.end(), [](const Event& a, const Event& b) { return a.time < b.time; });
  return sorted;
}

std::vector<Event> Scenario::with_end() const {
  std::vector<Event> all = events();
  all.push_back({last(), {}, formats::CaptureEnd{}});
  return all;
}

Time Scenario::last() const {
  Time t = kStart;
  for (const Event& e : events_) t = std::max(t, e.time);
  return t;
}

}  // namespace tailcap::synth
