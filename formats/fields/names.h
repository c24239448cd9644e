// What the numbers in events are called, alike in JSON, for people, and in the texts of tests.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "formats/file_call.h"
#include "formats/go_event.h"
#include "formats/recorder_event.h"
#include "formats/sample.h"
#include "formats/socket_event.h"
#include "formats/stall.h"
#include "formats/thread_event.h"
#include "formats/tls_event.h"

namespace tailcap::formats {

template <class... Name>
constexpr std::array<std::string_view, sizeof...(Name)> name_list(Name... names) {
  return {names...};
}

// By number; "": a number that is not used.
template <class E>
inline constexpr std::nullptr_t kNames{};
template <>
inline constexpr auto kNames<Payload> = name_list("captured", "off", "no_buffer", "unsupported", "fault", "added");
template <>
inline constexpr auto kNames<Direction> = name_list("out", "in");
template <>
inline constexpr auto kNames<TcpState> = name_list("none", "established", "syn_sent", "syn_recv", "fin_wait1",
                                                   "fin_wait2", "time_wait", "close", "close_wait", "last_ack",
                                                   "listen", "closing", "new_syn_recv", "", "left_out");
template <>
inline constexpr auto kNames<Origin> = name_list("unknown", "connected", "accepted", "listener", "existed");
template <>
inline constexpr auto kNames<SocketType> = name_list("unknown", "stream", "datagram", "", "", "seqpacket");
template <>
inline constexpr auto kNames<Family> = name_list("unknown", "unix", "inet", "", "", "", "", "", "", "", "inet6");
template <>
inline constexpr auto kNames<LossCause> = name_list("ring_full", "queue_full", "bad_record", "socket_table_full",
                                                    "task_table_full", "session_table_full", "damaged", "probe_removed",
                                                    "file_not_read", "not_decrypted", "call_under_way");
template <>
inline constexpr auto kNames<CaptureState> = name_list("complete", "truncated", "recovered", "recording");
template <>
inline constexpr auto kNames<TlsLibrary> = name_list("unknown", "openssl", "gnutls", "go");
template <>
inline constexpr auto kNames<TlsStepKind> = name_list("seen", "handshake", "failed", "shutdown", "freed");
template <>
inline constexpr auto kNames<FileKind> = name_list("unknown", "socket", "pipe", "eventfd", "epoll", "regular",
                                                   "directory", "terminal", "timerfd", "signalfd", "inotify", "other",
                                                   "log");
template <>
inline constexpr auto kNames<WokenIn> = name_list("unknown", "thread", "soft_interrupt", "interrupt");
template <>
inline constexpr auto kNames<CpuUser> = name_list("idle", "iowait", "irq", "softirq", "steal", "process", "others",
                                                  "recorder");
template <>
inline constexpr auto kNames<FileAct> = name_list("open", "read", "write", "sync");
template <>
inline constexpr auto kNames<StallKind> = name_list("block_io", "major_fault", "reclaim", "kernel_lock", "fuse",
                                                    "writeback", "io_throttled", "peer_window", "congestion",
                                                    "interrupt", "compaction", "fragmented", "send_full", "nagle",
                                                    "undelivered");
template <>
inline constexpr auto kNames<SampleKind> = name_list("on_cpu", "off_cpu", "preempted", "allocation");
template <>
inline constexpr auto kNames<StackEnd> = name_list("unknown", "start", "zero", "cut", "no_rule", "unreadable");
template <>
inline constexpr auto kNames<GoPhase> = name_list("gc_begin", "gc_end", "stop_begin", "stopped", "started", "assist");
template <>
inline constexpr auto kNames<GoRunState> = name_list("parked", "ready", "running");
template <>
inline constexpr auto kNames<GoPanicStep> = name_list("began", "fatal", "thrown");
template <>
inline constexpr auto kNames<GoCallStep> = name_list("asked", "sends", "queues", "writes");
template <>
inline constexpr auto kNames<GoChannelStep> = name_list("gave", "fetched", "put", "took", "exchanged");

template <class E>
concept Named = requires {
  kNames<E>.size();
};

// What a number of a later version is taken for.
template <Named E>
inline constexpr E kUnknown = E::unknown;
template <>
inline constexpr Payload kUnknown<Payload> = Payload::unsupported;
template <>
inline constexpr Direction kUnknown<Direction> = Direction::in;
template <>
inline constexpr TcpState kUnknown<TcpState> = TcpState::none;
template <>
inline constexpr FileKind kUnknown<FileKind> = FileKind::other;

template <Named E>
constexpr E from_number(std::uint8_t n) {
  return n < kNames<E>.size() && !kNames<E>[n].empty() ? static_cast<E>(n) : kUnknown<E>;
}

template <Named E>
constexpr std::string_view name_of(E value) {
  const auto n = static_cast<std::size_t>(value);
  return n < kNames<E>.size() && !kNames<E>[n].empty() ? kNames<E>[n] : "unknown";
}

}  // namespace tailcap::formats
