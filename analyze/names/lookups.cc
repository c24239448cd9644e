#include "analyze/names/lookups.h"

#include <deque>
#include <list>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/names/dns_message.h"
#include "formats/event.h"

namespace tailcap::names {

using model::Lookup;

namespace {

// A resolver opens a socket for every lookup, and nothing says when it is closed: those used last are known.
constexpr std::size_t kMaxSockets = 1u << 16;
constexpr std::size_t kMaxWaiting = 1024;  // questions without an answer; looked through for each new one

struct Socket {
  formats::SocketId id = 0;
  formats::Family family = formats::Family::unknown;
  formats::Address server;
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
  std::vector<Lookup> out;
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
    s->server = info.remote;
  }

  void give_up(std::list<Waiting>::iterator w) {
    out.push_back(std::move(w->lookup));
    waiting.erase(w);
  }

  void asked(const formats::Event& e, const formats::Io& io, const Socket& s, DnsMessage m) {
    for (Waiting& w : waiting) {
      Lookup& l = w.lookup;
      const bool again = l.thread == e.thread && l.type == m.type && l.name == m.name;
      if (!again) continue;
      ++l.attempts;
      l.family = s.family;
      l.server = s.server;
      l.error = 0;
      if (w.asked.size() < 64) w.asked.push_back({io.socket, m.id});
      return;
    }
    if (waiting.size() >= kMaxWaiting) give_up(waiting.begin());
    Waiting& w = waiting.emplace_back();
    Lookup& l = w.lookup;
    l.name = std::move(m.name);
    l.type = m.type;
    l.thread = e.thread;
    l.family = s.family;
    l.server = s.server;
    l.began = e.time;
    l.attempts = 1;
    w.asked.push_back({io.socket, m.id});
  }

  void answered(const formats::Event& e, const formats::Io& io, const Socket& s, DnsMessage m) {
    const auto fill = [&](Lookup& l) {
      l.rcode = m.rcode;
      l.error = 0;
      l.truncated = m.truncated;
      l.family = s.family;
      l.server = s.server;
      l.done = e.time;
      l.addresses = std::move(m.addresses);
    };
    for (auto w = waiting.begin(); w != waiting.end(); ++w) {
      if (w->lookup.type != m.type || w->lookup.name != m.name) continue;
      for (const Asked& a : w->asked) {
        if (a.socket != io.socket || a.id != m.id) continue;
        if (e.time < w->lookup.began) return;
        fill(w->lookup);
        return give_up(w);
      }
    }
    // Its question was not seen, or it was answered before: that of an unknown question says when it was done, no more.
  }

  void on(const formats::Event& e, const formats::Io& io) {
    Socket* s = find(io.socket);
    if (!s) return;
    took = true;
    if (io.error != 0) {
      for (Waiting& w : waiting)
        if (!w.asked.empty() && w.asked.back().socket == io.socket) w.lookup.error = io.error;
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

std::span<const Lookup> Lookups::push(const formats::Event& event) {
  Impl& i = *impl_;
  i.took = false;
  i.out.clear();
  while (!i.waiting.empty() && event.time > i.waiting.front().lookup.began + kPatience) i.give_up(i.waiting.begin());
  if (const auto* info = std::get_if<formats::SocketInfo>(&event.body)) {
    if (info->type != formats::SocketType::datagram) return i.out;
    i.took = true;
    i.add(*info);
  } else if (const auto* io = std::get_if<formats::Io>(&event.body)) {
    if (!i.sockets.empty()) i.on(event, *io);
  } else if (std::holds_alternative<formats::CaptureEnd>(event.body)) {
    while (!i.waiting.empty()) i.give_up(i.waiting.begin());
  }
  return i.out;
}

}  // namespace tailcap::names
