// What the numbers in events are called, alike for people and in JSON.
#pragma once

#include <string>
#include <string_view>

#include "analyze/model/wire/connection.h"
#include "analyze/views/file/capture_facts.h"
#include "formats/event.h"

namespace tailcap::views {

using namespace formats;

template <std::size_t N, class Enum>
std::string_view pick(const std::string_view (&names)[N], Enum value) {
  const auto i = static_cast<std::size_t>(value);
  return i < N ? names[i] : std::string_view("unknown");
}

inline std::string_view name_of(Payload p) {
  constexpr std::string_view names[] = {"captured", "off", "no_buffer", "unsupported", "fault"};
  return pick(names, p);
}
inline std::string_view name_of(TcpState s) {
  constexpr std::string_view names[] = {"none",      "established", "syn_sent",    "syn_recv",   "fin_wait1",
                                        "fin_wait2", "time_wait",   "close",       "close_wait", "last_ack",
                                        "listen",    "closing",     "new_syn_recv"};
  return pick(names, s);
}
inline std::string_view name_of(Origin o) {
  constexpr std::string_view names[] = {"unknown", "connected", "accepted", "listener", "existed"};
  return pick(names, o);
}
inline std::string_view name_of(SocketType t) {
  switch (t) {
    case SocketType::stream:
      return "stream";
    case SocketType::datagram:
      return "datagram";
    case SocketType::seqpacket:
      return "seqpacket";
    case SocketType::unknown:
      break;
  }
  return "unknown";
}
inline std::string_view name_of(Family f) {
  switch (f) {
    case Family::unix_domain:
      return "unix";
    case Family::inet:
      return "inet";
    case Family::inet6:
      return "inet6";
    case Family::unknown:
      break;
  }
  return "unknown";
}
inline std::string_view name_of(LossCause c) {
  constexpr std::string_view names[] = {"ring_full",       "queue_full",         "bad_record", "socket_table_full",
                                        "task_table_full", "session_table_full", "damaged"};
  return pick(names, c);
}
inline std::string_view name_of(Direction d) { return d == Direction::out ? "out" : "in"; }

inline std::string_view name_of(TlsLibrary l) {
  constexpr std::string_view names[] = {"unknown", "openssl", "gnutls", "go"};
  return pick(names, l);
}
inline std::string_view name_of(TlsStepKind k) {
  constexpr std::string_view names[] = {"seen", "handshake", "failed", "shutdown", "freed"};
  return pick(names, k);
}

inline std::string_view name_of(FileKind k) {
  constexpr std::string_view names[] = {"unknown",   "socket",   "pipe",    "eventfd",  "epoll",   "regular",
                                        "directory", "terminal", "timerfd", "signalfd", "inotify", "other"};
  return pick(names, k);
}
inline std::string_view name_of(GoPhase p) {
  constexpr std::string_view names[] = {"gc_begin", "gc_end", "stop_begin", "stopped", "started", "assist"};
  return pick(names, p);
}
inline std::string_view name_of(GoRunState s) {
  constexpr std::string_view names[] = {"parked", "ready", "running"};
  return pick(names, s);
}
inline std::string_view name_of(GoPanicStep s) {
  constexpr std::string_view names[] = {"began", "fatal", "thrown"};
  return pick(names, s);
}
inline std::string_view name_of(GoCallStep s) {
  constexpr std::string_view names[] = {"asked", "sends", "queues", "writes"};
  return pick(names, s);
}
inline std::string_view name_of(GoChannelStep s) {
  constexpr std::string_view names[] = {"gave", "fetched", "put", "took", "exchanged"};
  return pick(names, s);
}
inline std::string_view name_of(StallKind k) {
  constexpr std::string_view names[] = {"block_io",   "major_fault", "reclaim",      "kernel_lock",
                                        "fuse",       "writeback",   "io_throttled", "peer_window",
                                        "congestion", "interrupt",   "compaction",   "fragmented"};
  return pick(names, k);
}

inline std::string_view name_of(SampleKind k) {
  constexpr std::string_view names[] = {"on_cpu", "off_cpu", "preempted", "allocation"};
  return pick(names, k);
}
inline std::string_view name_of(FileAct a) {
  constexpr std::string_view names[] = {"open", "read", "write", "sync"};
  return pick(names, a);
}

// The address without its port, which it has none of.
inline std::string address_of(const NetInterface& n) {
  model::Connection c;
  c.family = n.family;
  c.local = n.address;
  std::string text = model::endpoint(c, false);
  return text.substr(0, text.rfind(':'));
}

inline std::string endpoint_of(const SocketInfo& info, bool remote) {
  model::Connection c;
  c.family = info.family;
  c.local = info.local;
  c.remote = info.remote;
  c.path = info.path;
  return model::endpoint(c, remote);
}

inline std::string hex(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[c & 15];
  }
  return out;
}

}  // namespace tailcap::views
