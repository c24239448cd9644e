#include "analyze/views/events/event_text.h"

#include "analyze/model/study/file_calls.h"
#include "analyze/report/words/escape.h"
#include "analyze/report/words/number.h"
#include "analyze/report/words/words.h"
#include "analyze/views/events/event_names.h"
#include "formats/fields/tables.h"
#include "ground/text.h"

namespace tailcap::views {
namespace {

constexpr std::size_t kShown = 60;  // bytes of payload in a line

std::string n(std::uint64_t v) { return std::to_string(v); }
std::string i(std::int64_t v) { return std::to_string(v); }

template <class Counted>
std::string allocated(const Counted& a) {
  return n(a.count) + " of " + n(a.least) + " bytes and more, in all " + n(a.bytes);
}

// Details for people: in words of their own where that reads better than "name value name value".
struct Text {
  template <class B>
  std::string operator()(const B& body) const {
    std::string s;
    each_field(body, [&](const auto& field, const auto& value) {
      constexpr As kAs = std::remove_cvref_t<decltype(field)>::as;
      if constexpr (kAs != As::part) ((s += s.empty() ? "" : " ") += field.name) += " " + plain<kAs>(value, body);
    });
    return s;
  }
  template <As kAs, class T, class B>
  static std::string plain(const T& value, const B& body) {
    if constexpr (kAs == As::raw_bytes)
      return "\"" + escaped(value, kShown) + "\"";
    else if constexpr (kAs == As::hex)
      return ground::hex_text(value);
    else if constexpr (kAs == As::pid)
      return report::pid_text(value);
    else if constexpr (kAs == As::session)
      return session(value);
    else if constexpr (kAs == As::kind)
      return std::string(formats::name_of(static_cast<Kind>(value)));
    else if constexpr (std::is_same_v<T, Address>)
      return report::printable(endpoint_of(body, value));
    else if constexpr (std::is_same_v<T, Time>)
      return i(nanoseconds(value));
    else if constexpr (std::is_same_v<T, Duration>)
      return i(value.count());
    else if constexpr (std::is_enum_v<T>)
      return std::string(name_of(value));
    else if constexpr (std::is_same_v<T, std::string_view>)
      return report::printable(value);
    else
      return std::to_string(value);
  }

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
    return "socket " + n(r.socket) + " at " + n(r.position) + " length " + n(r.length) +
           (r.interface != 0 ? " interface " + n(r.interface) : "") +
           (r.segment != 0 ? " in segments of " + n(r.segment) : "") +
           (r.path_mtu != 0 ? " path MTU " + n(r.path_mtu) : "");
  }
  std::string operator()(const Reset& r) const {
    return "socket " + n(r.socket) + (r.direction == Direction::out ? " sent" : " received");
  }
  std::string operator()(const StateChange& c) const {
    return "socket " + n(c.socket) + " " + std::string(name_of(c.from)) + " to " + std::string(name_of(c.to)) +
           (c.error ? " error " + i(c.error) : "") + (c.rtt.count() != 0 ? " RTT " + i(c.rtt.count()) : "");
  }
  std::string operator()(const SocketInfo& s) const {
    return "socket " + n(s.socket) + " " + std::string(name_of(s.origin)) + " " + std::string(name_of(s.state)) + " " +
           report::printable(endpoint_of(s, s.local)) + " to " + report::printable(endpoint_of(s, s.remote)) +
           " next out " + n(s.next_out) + " in " + n(s.next_in) +
           (s.peer_pid != 0 ? " connected by " + report::pid_text(s.peer_pid) : "");
  }
  std::string operator()(const OffCpu& o) const {
    std::string s = "left " + i(nanoseconds(o.left)) +
                    (known(o.runnable) ? " runnable " + i(nanoseconds(o.runnable)) : " runnable unknown");
    s += " state " + n(o.state);
    if (o.syscall >= 0) s += " call " + i(o.syscall) + "(" + n(o.argument0) + ", " + n(o.argument1) + ")";
    if (o.waker != 0) s += " woken by " + report::pid_text(o.waker);
    if (o.woken_in == WokenIn::soft_interrupt || o.woken_in == WokenIn::interrupt) s += " woken by an interrupt";
    if (o.timed && o.argument1 != ~std::uint64_t{0}) s += " for " + n(o.argument1) + " ns";
    if (o.ongoing) s += " ongoing";
    if (o.stolen.count() != 0) s += " stolen before " + i(o.stolen.count());
    if (o.throttled) s += " throttled";
    if (o.file != FileKind::unknown) s += " on " + std::string(name_of(o.file));
    if (o.socket != 0) s += " " + n(o.socket);
    if (o.missed > 0) s += " missed " + n(o.missed);
    return s;
  }
  std::string operator()(const TaskStart& t) const {
    return "by " + report::pid_text(t.parent.pid) + "/" + report::pid_text(t.parent.tid) + " " +
           report::printable(t.comm);
  }
  std::string operator()(const TaskExec& t) const {
    return report::printable(t.comm) + " " + report::printable(t.filename);
  }
  std::string operator()(const TaskInfo& t) const {
    return report::printable(t.comm) + " of " + report::pid_text(t.parent_pid) + " " + escaped(t.command_line, kShown);
  }
  std::string operator()(const Mapping& m) const {
    return hex_range(m.start, m.end) + " offset " + n(m.file_offset) + " " + report::printable(m.path) +
           (m.build_id.empty() ? "" : " " + ground::hex_text(m.build_id));
  }
  std::string operator()(const ClockSnapshot& c) const {
    return "realtime " + i(c.realtime) + " boottime " + i(c.boottime) + " within " + i(c.uncertainty.count());
  }
  std::string operator()(const Loss& l) const {
    return n(l.count) + " " + std::string(formats::name_of(static_cast<Kind>(l.kind))) + " since " +
           i(nanoseconds(l.since)) + " " + std::string(name_of(l.cause));
  }
  std::string operator()(const ProgramCost& c) const {
    return report::printable(c.program) + " runs " + n(c.runs) + " time " + i(c.time.count());
  }
  std::string operator()(const TlsIo& io) const {
    std::string s = "session " + session(io.session) + " at " + n(io.position) + " length " + n(io.length);
    if (known(io.began)) s += " began " + i(nanoseconds(io.began));
    if (io.continued) s += " continued";
    if (io.missed > 0) s += " missed " + n(io.missed);
    if (io.payload != Payload::captured) s += " payload " + std::string(name_of(io.payload));
    if (!io.head.empty()) s += " \"" + escaped(io.head, kShown) + "\"";
    if (!io.tail.empty()) s += " … \"" + escaped(io.tail, kShown) + "\"";
    return s;
  }
  std::string operator()(const TlsStep& t) const {
    return "session " + session(t.session) + " " + std::string(name_of(t.library)) + " " +
           std::string(name_of(t.step)) + (t.code != 0 ? " code " + i(t.code) : "");
  }
  std::string operator()(const Probe& p) const {
    std::string s = report::printable(p.path) + " " + report::printable(p.function);
    if (!p.place.empty()) s += " at " + n(p.offset) + " " + report::printable(p.place) + " " + n(p.price) + " ns";
    if (!p.reason.empty()) s += " (" + report::printable(p.reason) + ")";
    return s;
  }
  std::string operator()(const GoCreate& g) const {
    return "goroutine " + n(g.child) + (g.function.empty() ? "" : " runs " + report::printable(g.function)) +
           (g.from.empty() ? "" : " from " + report::printable(g.from));
  }
  std::string operator()(const GoExit& g) const { return "goroutine " + n(g.goroutine); }
  std::string operator()(const GoPanic& g) const {
    return std::string(name_of(g.step)) + (g.stack.empty() ? "" : " in " + report::printable(g.stack));
  }
  std::string operator()(const OomKill&) const { return "chosen to be killed, memory is short"; }
  std::string operator()(const GoBuild& g) const { return report::printable(g.path) + " " + escaped(g.lines, kShown); }
  std::string operator()(const GoRuntime& g) const {
    return std::string(name_of(g.phase)) + (g.reason.empty() ? "" : " " + report::printable(g.reason));
  }
  std::string operator()(const GoState& g) const {
    return "goroutine " + n(g.goroutine) + " " + std::string(name_of(g.state)) +
           (g.reason.empty() ? "" : " " + report::printable(g.reason));
  }
  std::string operator()(const GoHandler& g) const {
    return g.name.empty() ? "at " + n(g.address) : report::printable(g.name);
  }
  std::string operator()(const GoProgram& g) const {
    return report::printable(g.path) + " " + report::printable(g.version) + " goid at " + n(g.goid_offset) + " by " +
           report::printable(g.offsets_from) +
           (g.unsupported.empty() ? "" : " without " + report::printable(g.unsupported));
  }
  std::string operator()(const GoCall& g) const {
    return std::string(name_of(g.step)) + " on " + n(g.connection) + (g.stream != 0 ? " stream " + n(g.stream) : "");
  }
  std::string operator()(const GoChannel& g) const {
    return std::string(name_of(g.step)) + " channel " + n(g.channel) + (g.slot != 0 ? " slot " + n(g.slot) : "") +
           (g.partner != 0 ? " goroutine " + n(g.partner) : "");
  }
  std::string operator()(const Sample& s) const {
    return (s.kind == SampleKind::on_cpu ? "" : std::string(name_of(s.kind)) + " ") +
           (s.value != 0 ? n(s.value) + " bytes " : "") + (s.weight != 1 ? "for " + n(s.weight) + " " : "") +
           (s.user.empty() ? "no stack" : report::printable(s.user)) +
           (s.kernel.empty() ? "" : " in the kernel " + report::printable(s.kernel));
  }
  std::string operator()(const GoAllocations& a) const { return allocated(a); }
  std::string operator()(const MallocCalls& a) const { return allocated(a); }
  std::string operator()(const GoHeap& h) const {
    return "heap " + n(h.used) + ", live " + n(h.live) + ", limit " + (h.limit == 0 ? "none" : n(h.limit)) + ", GOGC " +
           (h.percent < 0 ? "off" : i(h.percent));
  }
  std::string operator()(const FileCall& f) const {
    return std::string(name_of(f.act)) + " since " + i(nanoseconds(f.began)) + " result " +
           (f.result == model::kResultUnknown ? "?" : i(f.result)) +
           (f.descriptor >= 0 ? " descriptor " + i(f.descriptor) : "") +
           (f.path.empty() ? "" : " " + report::printable(f.path));
  }
  std::string operator()(const Note& note) const {
    return report::printable(note.key) + " = " + report::printable(note.value);
  }
  std::string operator()(const Masking& m) const {
    return n(m.streams) + " streams, " + n(m.foreign) + " foreign, " + n(m.doubtful) + " in doubt, " + n(m.withheld) +
           " bytes withheld (HTTP: of " + n(m.sends) + " sends, " + n(m.receives) + " receives)";
  }
  std::string operator()(const MachineCpu& m) const {
    return std::string(name_of(m.user)) + " " + i(m.time.count()) + " since " + i(nanoseconds(m.began)) +
           (m.pid != 0 ? " " + report::pid_text(m.pid) : "") + (m.comm.empty() ? "" : " " + report::printable(m.comm));
  }
  std::string operator()(const NetInterface& f) const {
    return report::printable(f.name) + " " + endpoint_of(f, f.address) + "/" + n(f.prefix) + " index " + n(f.index) +
           " in " + n(f.net_namespace);
  }
  std::string operator()(const NetLink& l) const {
    return report::printable(l.name) + (l.type.empty() ? "" : " (" + report::printable(l.type) + ")") + " index " +
           n(l.index) + " in " + n(l.net_namespace) + " MTU " + n(l.mtu) + (l.up ? " up" : " down") +
           (l.master != 0 ? " master " + n(l.master) : "") +
           (l.peer != 0 ? " peer " + n(l.peer) + (l.peer_namespace != 0 ? " in " + n(l.peer_namespace) : "") : "") +
           (l.gone ? " gone" : "");
  }
  std::string operator()(const ProcessUse& u) const {
    return "CPU " + i(u.cpu.count()) + ", memory " + n(u.resident) + ", " + n(u.anonymous) + " of it its own";
  }
  std::string operator()(const PacketDrops& d) const {
    return n(d.count) + " " + report::printable(d.reason) +
           (endpoint_of(d, d.to).empty() ? "" : " to " + report::printable(endpoint_of(d, d.to))) +
           " in the second from " + i(nanoseconds(d.began));
  }
  std::string operator()(const Stall& s) const {
    return std::string(name_of(s.what)) + " since " + i(nanoseconds(s.began)) + " at " + n(s.where) +
           (s.detail != 0 ? " detail " + n(s.detail) : "");
  }
  std::string operator()(const CpuQuota& q) const {
    return report::printable(q.cgroup) + " quota " + i(q.quota.count()) + " of " + i(q.period.count()) + " throttled " +
           n(q.throttled) + " of " + n(q.periods) + " for " + i(q.throttled_time.count());
  }
  std::string operator()(const CaptureEnd& e) const { return std::string(name_of(e.state)); }
  std::string operator()(const Damage& d) const { return n(d.bytes) + " bytes since " + i(nanoseconds(d.since)); }

  // Numbered from 1 in bits of their own.
  static std::string session(TlsSessionId id) { return n(id & ~kTlsSessionBit); }
  static std::string hex_range(std::uint64_t a, std::uint64_t b) {
    return ground::hex_text(a) + "-" + ground::hex_text(b);
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
  std::string text = name + " " + std::visit(Text{}, event.body);
  if (event.goroutine != 0) text += " by goroutine " + n(event.goroutine);
  return text;
}

}  // namespace tailcap::views
