// Every kind of event once: its fields by name. text.cc uses it to print and parse.
//
// visit(v, body) calls v(name, field) for each field; v decides what to do with it.
#pragma once

#include <array>
#include <string_view>
#include <utility>

#include "formats/event.h"

namespace tailcap::synth {

// Names of enumerators in the text format.
template <class E>
struct Names;
template <>
struct Names<formats::Payload> {
  static constexpr std::array<std::string_view, 5> all = {"captured", "off", "no_buffer", "unsupported", "fault"};
};
template <>
struct Names<formats::Direction> {
  static constexpr std::array<std::string_view, 2> all = {"out", "in"};
};
template <>
struct Names<formats::TcpState> {
  static constexpr std::array<std::string_view, 13> all = {
      "none",  "established", "syn_sent", "syn_recv", "fin_wait1", "fin_wait2",   "time_wait",
      "close", "close_wait",  "last_ack", "listen",   "closing",   "new_syn_recv"};
};
template <>
struct Names<formats::Origin> {
  static constexpr std::array<std::string_view, 5> all = {"unknown", "connected", "accepted", "listener", "existed"};
};
template <>
struct Names<formats::LossCause> {
  static constexpr std::array<std::string_view, 7> all = {
      "ring_full", "queue_full", "bad_record", "socket_table_full", "task_table_full", "session_table_full", "damaged"};
};
template <>
struct Names<formats::Family> {
  static constexpr std::array<std::string_view, 11> all = {"unknown", "unix", "inet", "", "",     "",
                                                           "",        "",     "",     "", "inet6"};
};
template <>
struct Names<formats::SocketType> {
  static constexpr std::array<std::string_view, 6> all = {"unknown", "stream", "datagram", "", "", "seqpacket"};
};

template <>
struct Names<formats::TlsLibrary> {
  static constexpr std::array<std::string_view, 4> all = {"unknown", "openssl", "gnutls", "go"};
};
template <>
struct Names<formats::TlsStepKind> {
  static constexpr std::array<std::string_view, 5> all = {"seen", "handshake", "failed", "shutdown", "freed"};
};

template <>
struct Names<formats::FileKind> {
  static constexpr std::array<std::string_view, 12> all = {"unknown", "socket",   "pipe",      "eventfd",
                                                           "epoll",   "regular",  "directory", "terminal",
                                                           "timerfd", "signalfd", "inotify",   "other"};
};
template <>
struct Names<formats::GoPhase> {
  static constexpr std::array<std::string_view, 6> all = {"gc_begin", "gc_end",  "stop_begin",
                                                          "stopped",  "started", "assist"};
};
template <>
struct Names<formats::GoRunState> {
  static constexpr std::array<std::string_view, 3> all = {"parked", "ready", "running"};
};
template <>
struct Names<formats::GoCallStep> {
  static constexpr std::array<std::string_view, 4> all = {"asked", "sends", "queues", "writes"};
};
template <>
struct Names<formats::GoChannelStep> {
  static constexpr std::array<std::string_view, 5> all = {"gave", "fetched", "put", "took", "exchanged"};
};
template <>
struct Names<formats::GoPanicStep> {
  static constexpr std::array<std::string_view, 3> all = {"began", "fatal", "thrown"};
};
template <>
struct Names<formats::SampleKind> {
  static constexpr std::array<std::string_view, 4> all = {"on_cpu", "off_cpu", "preempted", "allocation"};
};
template <>
struct Names<formats::FileAct> {
  static constexpr std::array<std::string_view, 4> all = {"open", "read", "write", "sync"};
};
template <>
struct Names<formats::StallKind> {
  static constexpr std::array<std::string_view, 12> all = {"block_io",   "major_fault", "reclaim",      "kernel_lock",
                                                           "fuse",       "writeback",   "io_throttled", "peer_window",
                                                           "congestion", "interrupt",   "compaction",   "fragmented"};
};

template <class V>
void visit(V& v, formats::Io& b) {
  v("socket", b.socket);
  v("pos", b.position);
  v("len", b.length);
  v("payload", b.payload);
  v("missed", b.missed);
  v("error", b.error);
  v("syscall", b.syscall);
  v("truncated", b.truncated);
  v("continued", b.continued);
  v("data", b.head);
  v("tail", b.tail);
}
template <class V>
void visit(V& v, formats::Arrival& b) {
  v("socket", b.socket);
  v("pos", b.position);
  v("len", b.length);
  v("missed", b.missed);
}
template <class V>
void visit(V& v, formats::Retransmit& b) {
  v("socket", b.socket);
  v("pos", b.position);
  v("len", b.length);
}
template <class V>
void visit(V& v, formats::Reset& b) {
  v("socket", b.socket);
  v("direction", b.direction);
}
template <class V>
void visit(V& v, formats::StateChange& b) {
  v("socket", b.socket);
  v("from", b.from);
  v("to", b.to);
  v("by_thread", b.by_thread);
  v("error", b.error);
}
template <class V>
void visit(V& v, formats::Accept& b) {
  v("socket", b.socket);
  v("descriptor", b.descriptor);
}
template <class V>
void visit(V& v, formats::SocketInfo& b) {
  v("socket", b.socket);
  v("family", b.family);
  v("type", b.type);
  v("origin", b.origin);
  v("state", b.state);
  v("local", b.local);
  v("remote", b.remote);
  v("next_out", b.next_out);
  v("next_in", b.next_in);
  v("inode", b.inode);
  v("peer_inode", b.peer_inode);
  v("netns", b.net_namespace);
  v("path", b.path);
}
template <class V>
void visit(V& v, formats::OffCpu& b) {
  v("left", b.left);
  v("runnable", b.runnable);
  v("waker", b.waker);
  v("state", b.state);
  v("syscall", b.syscall);
  v("missed", b.missed);
  v("arg0", b.argument0);
  v("arg1", b.argument1);
  v("throttled", b.throttled);
  v("socket", b.socket);
  v("file", b.file);
}
template <class V>
void visit(V& v, formats::TaskStart& b) {
  v("parent_pid", b.parent.pid);
  v("parent_tid", b.parent.tid);
  v("comm", b.comm);
}
template <class V>
void visit(V& v, formats::TaskExec& b) {
  v("comm", b.comm);
  v("filename", b.filename);
}
template <class V>
void visit(V& v, formats::TaskExit& b) {
  v("code", b.code);
}
template <class V>
void visit(V& v, formats::TaskInfo& b) {
  v("parent_pid", b.parent_pid);
  v("comm", b.comm);
  v("command_line", b.command_line);
  v("executable", b.executable);
  v("cgroup", b.cgroup);
  v("started", b.started);
}
template <class V>
void visit(V& v, formats::Mapping& b) {
  v("start", b.start);
  v("end", b.end);
  v("offset", b.file_offset);
  v("path", b.path);
  v("build_id", b.build_id);
}
template <class V>
void visit(V& v, formats::ClockSnapshot& b) {
  v("realtime", b.realtime);
  v("boottime", b.boottime);
  v("uncertainty", b.uncertainty);
}
template <class V>
void visit(V& v, formats::Loss& b) {
  v("since", b.since);
  v("cause", b.cause);
  v("kind", b.kind);
  v("count", b.count);
}
template <class V>
void visit(V& v, formats::RecorderCost& b) {
  v("cpu", b.cpu);
  v("resident", b.resident);
}
template <class V>
void visit(V& v, formats::ProgramCost& b) {
  v("program", b.program);
  v("runs", b.runs);
  v("time", b.time);
}
template <class V>
void visit(V& v, formats::TlsIo& b) {
  v("session", b.session);
  v("len", b.length);
  v("pos", b.position);
  v("began", b.began);
  v("missed", b.missed);
  v("continued", b.continued);
  v("payload", b.payload);
  v("data", b.head);
  v("tail", b.tail);
}
template <class V>
void visit(V& v, formats::TlsStep& b) {
  v("session", b.session);
  v("library", b.library);
  v("step", b.step);
  v("code", b.code);
}
template <class V>
void visit(V& v, formats::Probe& b) {
  v("path", b.path);
  v("function", b.function);
  v("place", b.place);
  v("offset", b.offset);
  v("price", b.price);
  v("reason", b.reason);
}
template <class V>
void visit(V& v, formats::GoCreate& b) {
  v("child", b.child);
  v("function", b.function);
  v("from", b.from);
}
template <class V>
void visit(V& v, formats::GoRuntime& b) {
  v("phase", b.phase);
  v("reason", b.reason);
}
template <class V>
void visit(V& v, formats::GoState& b) {
  v("of", b.goroutine);
  v("state", b.state);
  v("reason", b.reason);
}
template <class V>
void visit(V& v, formats::GoHandler& b) {
  v("address", b.address);
  v("name", b.name);
  v("grpc", b.grpc);
}
template <class V>
void visit(V& v, formats::GoProgram& b) {
  v("path", b.path);
  v("version", b.version);
  v("offsets_from", b.offsets_from);
  v("unsupported", b.unsupported);
  v("goid_offset", b.goid_offset);
  v("parts", b.parts);
  v("processors", b.processors);
}
template <class V>
void visit(V& v, formats::Stall& b) {
  v("what", b.what);
  v("began", b.began);
  v("where", b.where);
  v("detail", b.detail);
}
template <class V>
void visit(V& v, formats::CpuQuota& b) {
  v("cgroup", b.cgroup);
  v("period", b.period);
  v("quota", b.quota);
  v("periods", b.periods);
  v("throttled", b.throttled);
  v("throttled_time", b.throttled_time);
}
template <class V>
void visit(V& v, formats::GoCall& b) {
  v("connection", b.connection);
  v("step", b.step);
  v("stream", b.stream);
}
template <class V>
void visit(V& v, formats::GoChannel& b) {
  v("step", b.step);
  v("channel", b.channel);
  v("slot", b.slot);
  v("partner", b.partner);
}
template <class V>
void visit(V& v, formats::Sample& b) {
  v("user", b.user);
  v("kernel", b.kernel);
  v("why", b.kind);
  v("weight", b.weight);
  v("value", b.value);
}
template <class V>
void visit(V& v, formats::GoAllocations& b) {
  v("least", b.least);
  v("count", b.count);
  v("bytes", b.bytes);
}
template <class V>
void visit(V& v, formats::FileCall& b) {
  v("act", b.act);
  v("began", b.began);
  v("result", b.result);
  v("descriptor", b.descriptor);
  v("path", b.path);
}
template <class V>
void visit(V& v, formats::Note& b) {
  v("key", b.key);
  v("value", b.value);
}
template <class V>
void visit(V& v, formats::Masking& b) {
  v("streams", b.streams);
  v("foreign", b.foreign);
  v("doubtful", b.doubtful);
  v("withheld", b.withheld);
  v("sends", b.sends);
  v("receives", b.receives);
}
template <class V>
void visit(V& v, formats::NetInterface& b) {
  v("netns", b.net_namespace);
  v("index", b.index);
  v("name", b.name);
  v("family", b.family);
  v("address", b.address);
  v("prefix", b.prefix);
}
template <class V>
void visit(V& v, formats::GoExit& b) {
  v("of", b.goroutine);
}
template <class V>
void visit(V& v, formats::GoPanic& b) {
  v("step", b.step);
  v("stack", b.stack);
}
template <class V>
void visit(V&, formats::OomKill&) {}
template <class V>
void visit(V& v, formats::GoBuild& b) {
  v("path", b.path);
  v("lines", b.lines);
}
template <class V>
void visit(V&, formats::CaptureEnd&) {}
template <class V>
void visit(V& v, formats::Damage& b) {
  v("since", b.since);
  v("bytes", b.bytes);
}

}  // namespace tailcap::synth
