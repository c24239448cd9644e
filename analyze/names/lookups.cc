#include "analyze/names/lookups.h"

#include <deque>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/names/dns_message.h"
#include "analyze/names/resolutions.h"
#include "formats/event.h"
#include "ground/syscalls.h"

namespace tailcap::names {

using formats::Time;
using model::Lookup;

namespace {

// A resolver opens a socket for every lookup, and nothing says when it is closed: those used last are known.
constexpr std::size_t kMaxSockets = 1u << 16;
constexpr std::size_t kMaxWaiting = 1024;  // questions without an answer; looked through for each new one
constexpr std::size_t kMaxAsked = 64;      // attempts of one that are remembered

struct Socket {
  formats::SocketId id = 0;
  formats::Family family = formats::Family::unknown;
  formats::Address local, server;
};

// Identifies a question on its socket.
struct Asked {
  formats::SocketId socket = 0;
  std::uint16_t id = 0;
};

struct Waiting {
  Lookup lookup;
  std::vector<Asked> asked;  // every attempt
};

}  // namespace

struct Lookups::Impl {
  std::list<Socket> sockets;  // used last first
  std::unordered_map<formats::SocketId, std::list<Socket>::iterator> by_id;
  std::list<Waiting> waiting;  // in order of the first question
  std::size_t stopped = 0;     // of these, their thread has stopped waiting
  std::vector<Lookup> out;
  Resolutions resolutions;
  std::vector<model::FailedName> failed;
  bool took = false;

  Socket* find(formats::SocketId id) {
    const auto at = by_id.find(id);
    if (at == by_id.end()) return nullptr;
    sockets.splice(sockets.begin(), sockets, at->second);
    return &*at->second;
  }

  void add(const formats::SocketInfo& info) {
    Socket* s = find(info.socket);
    if (!s) {
      if (sockets.size() >= kMaxSockets) {
        by_id.erase(sockets.back().id);
        sockets.pop_back();
      }
      s = &sockets.emplace_front();
      s->id = info.socket;
      by_id[info.socket] = sockets.begin();
    }
    s->family = info.family;
    s->local = info.local;
    s->server = info.remote;
  }

  std::list<Waiting>::iterator end(std::list<Waiting>::iterator w, Time at) {
    stopped -= formats::known(w->lookup.given_up);
    if (w->lookup.rcode >= 0) w->lookup.given_up = model::kNoTime;
    resolutions.ended(w->lookup, at);
    out.push_back(std::move(w->lookup));
    return waiting.erase(w);
  }

  // Its thread slept until an answer to this question came, or the time for that was over.
  void slept(const formats::Event& e, const formats::OffCpu& off) {
    using ground::SyscallWait;
    const SyscallWait in = ground::syscall_wait(off.syscall);
    if (off.socket == 0 || off.ongoing || (in != SyscallWait::input && in != SyscallWait::poll)) return;
    for (Waiting& w : waiting) {
      if (w.lookup.thread != e.thread || w.asked.back().socket != off.socket || off.left < w.lookup.began) continue;
      stopped += !formats::known(w.lookup.given_up);
      w.lookup.given_up = formats::known(off.runnable) ? off.runnable : e.time;
    }
  }

  // The thread does something else.
  void moved(const formats::Event& e) {
    for (auto w = waiting.begin(); stopped > 0 && w != waiting.end();) {
      const bool over = w->lookup.thread == e.thread && formats::known(w->lookup.given_up);
      w = over ? end(w, e.time) : std::next(w);
    }
    if (!resolutions.empty()) resolutions.moved(e.thread);
  }

  void asked(const formats::Event& e, const formats::Io& io, const Socket& s, DnsMessage m) {
    for (Waiting& w : waiting) {
      Lookup& l = w.lookup;
      const bool here = e.goroutine != 0 ? l.goroutine == e.goroutine && l.thread.pid == e.thread.pid
                                         : l.goroutine == 0 && l.thread == e.thread;
      if (!here || l.type != m.type || l.name != m.name) continue;
      ++l.attempts;
      l.error = 0;
      stopped -= formats::known(l.given_up);
      l.given_up = model::kNoTime;
      on_socket(l, s);
      if (w.asked.size() >= kMaxAsked) w.asked.erase(w.asked.begin());
      w.asked.push_back({io.socket, m.id});
      return resolutions.asked(l, e.time);
    }
    if (waiting.size() >= kMaxWaiting) end(waiting.begin(), e.time);
    Waiting& w = waiting.emplace_back();
    Lookup& l = w.lookup;
    l.name = std::move(m.name);
    l.type = m.type;
    l.thread = e.thread;
    l.goroutine = e.goroutine;
    on_socket(l, s);
    l.began = e.time;
    l.attempts = 1;
    w.asked.push_back({io.socket, m.id});
    resolutions.asked(l, e.time);
  }

  static void on_socket(Lookup& l, const Socket& s) {
    l.socket = s.id;
    l.family = s.family;
    l.local = s.local;
    l.server = s.server;
  }

  void answered(const formats::Event& e, const formats::Io& io, const Socket& s, DnsMessage m) {
    const auto fill = [&](Lookup& l) {
      l.rcode = m.rcode;
      l.error = 0;
      l.truncated = m.truncated;
      l.records = m.records;
      on_socket(l, s);
      l.done = e.time;
      l.addresses = std::move(m.addresses);
    };
    for (auto w = waiting.begin(); w != waiting.end(); ++w) {
      if (w->lookup.type != m.type || w->lookup.name != m.name) continue;
      for (const Asked& a : w->asked) {
        if (a.socket != io.socket || a.id != m.id) continue;
        if (e.time < w->lookup.began) return;
        fill(w->lookup);
        end(w, e.time);
        return;
      }
    }
    resolutions.stray(e.thread, m.name);
    // Its question was not seen, or it was answered before: that of an unknown question says when it was done, no more.
  }

  void on(const formats::Event& e, const formats::Io& io) {
    Socket* s = find(io.socket);
    if (!s) return;
    took = true;
    if (io.error != 0) {
      for (Waiting& w : waiting) {
        if (w.asked.back().socket != io.socket) continue;
        w.lookup.error = io.error;
        stopped += !formats::known(w.lookup.given_up);
        w.lookup.given_up = e.time;
      }
      return;
    }
    std::optional<DnsMessage> m = parse_dns(io.head);
    if (!m || m->response != (io.direction == formats::Direction::in)) return;
    if (m->response)
      answered(e, io, *s, std::move(*m));
    else
      asked(e, io, *s, std::move(*m));
  }
};

Lookups::Lookups() : impl_(std::make_unique<Impl>()) {}
Lookups::~Lookups() = default;

bool Lookups::took() const { return impl_->took; }

bool Lookups::pending() const { return !impl_->waiting.empty() || !impl_->resolutions.empty(); }

std::span<const model::FailedName> Lookups::failed() const { return impl_->failed; }

std::span<const Lookup> Lookups::push(const formats::Event& event) {
  Impl& i = *impl_;
  i.took = false;
  i.out.clear();
  i.failed.clear();
  if (!i.resolutions.empty()) i.resolutions.advance(event.time, false, i.failed);
  while (!i.waiting.empty() && event.time > i.waiting.front().lookup.began + kPatience)
    i.end(i.waiting.begin(), event.time);
  if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
    if (info->type != formats::SocketType::datagram) return i.out;
    i.took = true;
    i.add(*info);
  } else if (const auto* io = std::get_if<formats::Io>(&event.body)) {
    if (i.sockets.empty()) return i.out;
    i.on(event, *io);
    if (!i.took) i.moved(event);
  } else if (const auto* off = std::get_if<formats::OffCpu>(&event.body)) {
    if (!i.waiting.empty()) i.slept(event, *off);
  } else if (const auto* loss = std::get_if<formats::Loss>(&event.body)) {
    if (loss->count > 0 && loss->kind != static_cast<std::uint8_t>(formats::Kind::off_cpu)) i.resolutions.lost();
  } else if (std::holds_alternative<formats::Damage>(event.body)) {
    i.resolutions.lost();
  } else if (std::holds_alternative<formats::CaptureEnd>(event.body)) {
    i.resolutions.advance(event.time, true, i.failed);  // those that wait are under way
    while (!i.waiting.empty()) i.end(i.waiting.begin(), event.time);
  }
  return i.out;
}

}  // namespace tailcap::names
