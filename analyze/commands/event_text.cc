#include "analyze/commands/event_text.h"

#include "analyze/flow/connection.h"
#include "analyze/report/escape.h"
#include "analyze/report/json_writer.h"
#include "analyze/report/number.h"

namespace tailcap::commands {
namespace {

using namespace formats;
using report::JsonWriter;

constexpr std::size_t kShown = 60;  // bytes of payload in a line

template <std::size_t N, class Enum>
std::string_view pick(const std::string_view (&names)[N], Enum value) {
  const auto i = static_cast<std::size_t>(value);
  return i < N ? names[i] : std::string_view("unknown");
}

std::string_view name_of(Payload p) {
  constexpr std::string_view names[] = {"captured", "off", "no_buffer", "unsupported", "fault"};
  return pick(names, p);
}
std::string_view name_of(TcpState s) {
  constexpr std::string_view names[] = {"none",      "established", "syn_sent",    "syn_recv",   "fin_wait1",
                                        "fin_wait2", "time_wait",   "close",       "close_wait", "last_ack",
                                        "listen",    "closing",     "new_syn_recv"};
  return pick(names, s);
}
std::string_view name_of(Origin o) {
  constexpr std::string_view names[] = {"unknown", "connected", "accepted", "listener", "existed"};
  return pick(names, o);
}
std::string_view name_of(SocketType t) {
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
std::string_view name_of(Family f) {
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
std::string_view name_of(LossCause c) {
  constexpr std::string_view names[] = {"ring_full", "queue_full", "bad_record", "socket_table_full",
                                        "task_table_full"};
  return pick(names, c);
}
std::string_view name_of(Direction d) { return d == Direction::out ? "out" : "in"; }

std::string endpoint_of(const SocketInfo& info, bool remote) {
  flow::Connection c;
  c.family = info.family;
  c.local = info.local;
  c.remote = info.remote;
  c.path = info.path;
  return flow::endpoint(c, remote);
}

std::string hex(std::string_view bytes) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[c & 15];
  }
  return out;
}

std::string n(std::uint64_t v) { return std::to_string(v); }
std::string i(std::int64_t v) { return std::to_string(v); }

// Details for people.
struct Text {
  std::string operator()(const Io& io) const {
    std::string s = "socket " + n(io.socket) + " at " + n(io.position) + " length " + n(io.length);
    if (io.syscall != 0xffff) s += " call " + n(io.syscall);
    if (io.error != 0) s += " error " + i(io.error);
    if (io.missed > 0) s += " missed " + n(io.missed);
    if (io.truncated) s += " truncated";
    if (io.continued) s += " continued";
    if (io.payload != Payload::captured) s += " payload " + std::string(name_of(io.payload));
    if (!io.head.empty()) s += " \"" + escaped(io.head, kShown) + "\"";
    if (!io.tail.empty()) s += " … \"" + escaped(io.tail, kShown) + "\"";
    return s;
  }
  std::string operator()(const Arrival& a) const {
    return "socket " + n(a.socket) + " at " + n(a.position) + " length " + n(a.length) +
           (a.missed ? " missed " + n(a.missed) : "");
  }
  std::string operator()(const Retransmit& r) const {
    return "socket " + n(r.socket) + " at " + n(r.position) + " length " + n(r.length);
  }
  std::string operator()(const Reset& r) const {
    return "socket " + n(r.socket) + (r.direction == Direction::out ? " sent" : " received");
  }
  std::string operator()(const StateChange& c) const {
    return "socket " + n(c.socket) + " " + std::string(name_of(c.from)) + " to " + std::string(name_of(c.to)) +
           (c.error ? " error " + i(c.error) : "");
  }
  std::string operator()(const Accept& a) const { return "socket " + n(a.socket) + " descriptor " + i(a.descriptor); }
  std::string operator()(const SocketInfo& s) const {
    return "socket " + n(s.socket) + " " + std::string(name_of(s.origin)) + " " + std::string(name_of(s.state)) + " " +
           report::printable(endpoint_of(s, false)) + " to " + report::printable(endpoint_of(s, true)) + " next out " +
           n(s.next_out) + " in " + n(s.next_in);
  }
  std::string operator()(const OffCpu& o) const {
    std::string s = "left " + i(nanoseconds(o.left)) +
                    (known(o.runnable) ? " runnable " + i(nanoseconds(o.runnable)) : " runnable unknown");
    s += " state " + n(o.state);
    if (o.syscall >= 0) s += " call " + i(o.syscall) + "(" + n(o.argument0) + ", " + n(o.argument1) + ")";
    if (o.waker != 0) s += " woken by " + n(o.waker);
    if (o.missed > 0) s += " missed " + n(o.missed);
    return s;
  }
  std::string operator()(const TaskStart& t) const {
    return "by " + n(t.parent.pid) + "/" + n(t.parent.tid) + " " + report::printable(t.comm);
  }
  std::string operator()(const TaskExec& t) const {
    return report::printable(t.comm) + " " + report::printable(t.filename);
  }
  std::string operator()(const TaskExit& t) const { return "code " + i(t.code); }
  std::string operator()(const TaskInfo& t) const {
    return report::printable(t.comm) + " of " + n(t.parent_pid) + " " + escaped(t.command_line, kShown);
  }
  std::string operator()(const Mapping& m) const {
    return hex_range(m.start, m.end) + " offset " + n(m.file_offset) + " " + report::printable(m.path) +
           (m.build_id.empty() ? "" : " " + hex(m.build_id));
  }
  std::string operator()(const ClockSnapshot& c) const {
    return "realtime " + i(c.realtime) + " boottime " + i(c.boottime) + " within " + i(c.uncertainty.count());
  }
  std::string operator()(const Loss& l) const {
    return n(l.count) + " " + std::string(formats::name_of(static_cast<Kind>(l.kind))) + " since " +
           i(nanoseconds(l.since)) + " " + std::string(name_of(l.cause));
  }
  std::string operator()(const RecorderCost& c) const {
    return "cpu " + i(c.cpu.count()) + " resident " + n(c.resident);
  }
  std::string operator()(const ProgramCost& c) const {
    return report::printable(c.program) + " runs " + n(c.runs) + " time " + i(c.time.count());
  }
  std::string operator()(const CaptureEnd& e) const {
    constexpr std::string_view names[] = {"complete", "truncated", "recovered", "recording"};
    return std::string(pick(names, e.state));
  }
  std::string operator()(const Damage& d) const { return n(d.bytes) + " bytes since " + i(nanoseconds(d.since)); }

  static std::string hex_range(std::uint64_t a, std::uint64_t b) {
    char text[48];
    std::snprintf(text, sizeof text, "%llx-%llx", static_cast<unsigned long long>(a),
                  static_cast<unsigned long long>(b));
    return text;
  }
};

// The fields behind time, kind and thread.
struct Json {
  JsonWriter& json;

  // Every character stands for one byte: nothing is lost, whatever the bytes are.
  void bytes(std::string_view name, std::string_view value) const {
    std::string latin;
    for (const char c : value) {
      const auto u = static_cast<unsigned char>(c);
      if (u < 0x80)
        latin += c;
      else
        (latin += static_cast<char>(0xc0 | (u >> 6))) += static_cast<char>(0x80 | (u & 0x3f));
    }
    json.field(name, latin);
  }
  void time(std::string_view name, Time t) const {
    json.key(name);
    if (known(t))
      json.number(nanoseconds(t));
    else
      json.null();
  }
  void number(std::string_view name, std::int64_t v) const { json.field(name, v); }
  void count(std::string_view name, std::uint64_t v) const { json.field(name, v); }

  void operator()(const Io& io) const {
    count("socket", io.socket);
    count("position", io.position);
    count("length", io.length);
    json.key("syscall");
    if (io.syscall != 0xffff)
      json.number(std::uint64_t{io.syscall});
    else
      json.null();
    number("error", io.error);
    count("missed", io.missed);
    json.field("truncated", io.truncated);
    json.field("continued", io.continued);
    json.field("payload", name_of(io.payload));
    bytes("head", io.head);
    bytes("tail", io.tail);
  }
  void operator()(const Arrival& a) const {
    count("socket", a.socket);
    count("position", a.position);
    count("length", a.length);
    count("missed", a.missed);
  }
  void operator()(const Retransmit& r) const {
    count("socket", r.socket);
    count("position", r.position);
    count("length", r.length);
  }
  void operator()(const Reset& r) const {
    count("socket", r.socket);
    json.field("direction", name_of(r.direction));
  }
  void operator()(const StateChange& c) const {
    count("socket", c.socket);
    json.field("from", name_of(c.from));
    json.field("to", name_of(c.to));
    json.field("by_thread", c.by_thread);
    number("error", c.error);
  }
  void operator()(const Accept& a) const {
    count("socket", a.socket);
    number("descriptor", a.descriptor);
  }
  void operator()(const SocketInfo& s) const {
    count("socket", s.socket);
    json.field("family", name_of(s.family));
    json.field("type", name_of(s.type));
    json.field("origin", name_of(s.origin));
    json.field("state", name_of(s.state));
    json.field("local", endpoint_of(s, false));
    json.field("remote", endpoint_of(s, true));
    count("next_out", s.next_out);
    count("next_in", s.next_in);
    count("inode", s.inode);
    count("peer_inode", s.peer_inode);
    count("net_namespace", s.net_namespace);
  }
  void operator()(const OffCpu& o) const {
    time("left", o.left);
    time("runnable", o.runnable);
    count("waker", o.waker);
    count("state", o.state);
    json.key("syscall");
    if (o.syscall >= 0)
      json.number(std::int64_t{o.syscall});
    else
      json.null();
    count("argument0", o.argument0);
    count("argument1", o.argument1);
    count("missed", o.missed);
  }
  void operator()(const TaskStart& t) const {
    count("parent_pid", t.parent.pid);
    count("parent_tid", t.parent.tid);
    json.field("comm", t.comm);
  }
  void operator()(const TaskExec& t) const {
    json.field("comm", t.comm);
    json.field("filename", t.filename);
  }
  void operator()(const TaskExit& t) const { number("code", t.code); }
  void operator()(const TaskInfo& t) const {
    count("parent_pid", t.parent_pid);
    json.field("comm", t.comm);
    json.field("command_line", t.command_line);
    json.field("executable", t.executable);
    json.field("cgroup", t.cgroup);
  }
  void operator()(const Mapping& m) const {
    count("start", m.start);
    count("end", m.end);
    count("file_offset", m.file_offset);
    json.field("path", m.path);
    json.field("build_id", hex(m.build_id));
  }
  void operator()(const ClockSnapshot& c) const {
    number("realtime", c.realtime);
    number("boottime", c.boottime);
    number("uncertainty", c.uncertainty.count());
  }
  void operator()(const Loss& l) const {
    time("since", l.since);
    json.field("cause", name_of(l.cause));
    json.field("lost", formats::name_of(static_cast<Kind>(l.kind)));
    count("count", l.count);
  }
  void operator()(const RecorderCost& c) const {
    number("cpu", c.cpu.count());
    count("resident", c.resident);
  }
  void operator()(const ProgramCost& c) const {
    json.field("program", c.program);
    count("runs", c.runs);
    number("program_time", c.time.count());
  }
  void operator()(const CaptureEnd& e) const { json.field("state", Text{}(e)); }
  void operator()(const Damage& d) const {
    time("since", d.since);
    count("bytes", d.bytes);
  }
};

}  // namespace

std::string escaped(std::string_view bytes, std::size_t limit) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes.substr(0, limit)) {
    const auto u = static_cast<unsigned char>(c);
    switch (c) {
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      default:
        if (u >= 0x20 && u < 0x7f)
          out += c;
        else
          ((out += "\\x") += digits[u >> 4]) += digits[u & 15];
    }
  }
  if (bytes.size() > limit) out += "…";
  return out;
}

std::string event_text(const Event& event) {
  std::string name(formats::name_of(kind_of(event)));
  name.resize(std::max<std::size_t>(name.size(), 13), ' ');
  return name + " " + std::visit(Text{}, event.body);
}

void append_event(std::string& out, const Event& event, const flow::WallClock& clock) {
  JsonWriter json(out);
  json.begin_object();
  json.key("time");
  if (known(event.time))
    json.number(nanoseconds(event.time));
  else
    json.null();
  json.key("realtime_ns");
  if (known(event.time) && clock.known())
    json.number(clock.realtime(event.time));
  else
    json.null();
  json.field("kind", formats::name_of(kind_of(event)));
  json.field("pid", event.thread.pid);
  json.field("tid", event.thread.tid);
  std::visit(Json{json}, event.body);
  json.end_object();
}

}  // namespace tailcap::commands
