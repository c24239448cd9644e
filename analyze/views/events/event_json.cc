#include "analyze/model/file_calls.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/views/events/event_names.h"
#include "analyze/views/events/event_text.h"
#include "formats/machine.h"

namespace tailcap::views {
namespace {

using report::JsonWriter;

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
    count("waker", formats::number_of(o.waker));
    count("state", o.state);
    json.key("syscall");
    if (o.syscall >= 0)
      json.number(std::int64_t{o.syscall});
    else
      json.null();
    count("argument0", o.argument0);
    count("argument1", o.argument1);
    count("missed", o.missed);
    json.field("throttled", o.throttled);
    json.field("file", name_of(o.file));
    count("socket", o.socket);
  }
  void operator()(const TaskStart& t) const {
    count("parent_pid", formats::number_of(t.parent.pid));
    count("parent_tid", formats::number_of(t.parent.tid));
    json.field("comm", t.comm);
  }
  void operator()(const TaskExec& t) const {
    json.field("comm", t.comm);
    json.field("filename", t.filename);
  }
  void operator()(const TaskExit& t) const { number("code", t.code); }
  void operator()(const TaskInfo& t) const {
    count("parent_pid", formats::number_of(t.parent_pid));
    json.field("comm", t.comm);
    json.field("command_line", t.command_line);
    json.field("executable", t.executable);
    json.field("cgroup", t.cgroup);
    time("started", t.started);
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
  void operator()(const TlsIo& io) const {
    count("session", io.session);
    count("position", io.position);
    count("length", io.length);
    time("began", io.began);
    json.field("continued", io.continued);
    count("missed", io.missed);
    json.field("payload", name_of(io.payload));
    bytes("head", io.head);
    bytes("tail", io.tail);
  }
  void operator()(const TlsStep& t) const {
    count("session", t.session);
    json.field("library", name_of(t.library));
    json.field("step", name_of(t.step));
    number("code", t.code);
  }
  void operator()(const Probe& p) const {
    json.field("path", p.path);
    json.field("function", p.function);
    json.field("place", p.place);
    count("offset", p.offset);
    count("price", p.price);
    json.field("reason", p.reason);
  }
  void operator()(const GoCreate& g) const {
    count("child", g.child);
    json.field("function", g.function);
    json.field("from", g.from);
  }
  void operator()(const GoExit& g) const { count("of", g.goroutine); }
  void operator()(const GoPanic& g) const {
    json.field("step", name_of(g.step));
    json.field("stack", g.stack);
  }
  void operator()(const OomKill&) const {}
  void operator()(const GoBuild& g) const {
    json.field("path", g.path);
    json.field("lines", g.lines);
  }
  void operator()(const GoRuntime& g) const {
    json.field("phase", name_of(g.phase));
    json.field("reason", g.reason);
  }
  void operator()(const GoState& g) const {
    count("of", g.goroutine);
    json.field("state", name_of(g.state));
    json.field("reason", g.reason);
  }
  void operator()(const GoHandler& g) const {
    count("address", g.address);
    json.field("name", g.name);
    json.field("grpc", g.grpc);
  }
  void operator()(const GoProgram& g) const {
    json.field("path", g.path);
    json.field("version", g.version);
    json.field("offsets_from", g.offsets_from);
    json.field("unsupported", g.unsupported);
    count("goid_offset", g.goid_offset);
    count("parts", g.parts);
    count("processors", g.processors);
  }
  void operator()(const GoCall& g) const {
    json.field("step", name_of(g.step));
    count("connection", g.connection);
    if (g.stream != 0) count("stream", g.stream);
  }
  void operator()(const GoChannel& g) const {
    json.field("step", name_of(g.step));
    count("channel", g.channel);
    count("slot", g.slot);
    count("partner", g.partner);
  }
  void operator()(const Sample& s) const {
    json.field("why", name_of(s.kind));
    json.field("user", s.user);
    json.field("kernel", s.kernel);
    count("weight", s.weight);
    count("value", s.value);
  }
  void operator()(const GoAllocations& a) const {
    count("least", a.least);
    count("count", a.count);
    count("bytes", a.bytes);
  }
  void operator()(const FileCall& f) const {
    json.field("act", name_of(f.act));
    time("began", f.began);
    if (f.result != model::kResultUnknown)
      number("result", f.result);
    else {
      json.key("result");
      json.null();
    }
    number("descriptor", f.descriptor);
    json.field("path", f.path);
  }
  void operator()(const Note& note) const {
    json.field("key", note.key);
    json.field("value", note.value);
  }
  void operator()(const Masking& m) const {
    count("streams", m.streams);
    count("foreign", m.foreign);
    count("doubtful", m.doubtful);
    count("withheld", m.withheld);
    count("withheld_sends", m.sends);
    count("withheld_receives", m.receives);
  }
  void operator()(const NetInterface& f) const {
    count("net_namespace", f.net_namespace);
    count("index", f.index);
    json.field("name", f.name);
    json.field("address", address_of(f));
    count("prefix", f.prefix);
  }
  void operator()(const Stall& s) const {
    json.field("what", name_of(s.what));
    time("began", s.began);
    count("where", s.where);
    count("detail", s.detail);
  }
  void operator()(const CpuQuota& q) const {
    json.field("cgroup", q.cgroup);
    number("period", q.period.count());
    number("quota", q.quota.count());
    count("periods", q.periods);
    count("throttled", q.throttled);
    number("throttled_time", q.throttled_time.count());
  }
  void operator()(const CaptureEnd& e) const { json.field("state", name_of(e.state)); }
  void operator()(const Damage& d) const {
    time("since", d.since);
    count("bytes", d.bytes);
  }
};

}  // namespace

void append_event(std::string& out, const Event& event, const model::WallClock& clock, bool in_stw) {
  JsonWriter json(out);
  json.begin_object();
  json.field("schema", report::kJsonSchema);
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
  json.field("pid", formats::number_of(event.thread.pid));
  json.field("tid", formats::number_of(event.thread.tid));
  json.field("machine", formats::machine_of(event.thread.pid) + 1);
  if (event.goroutine != 0) json.field("goroutine", event.goroutine);
  std::visit(Json{json}, event.body);
  if (std::holds_alternative<GoCreate>(event.body)) json.field("in_stw", in_stw);
  json.end_object();
}

}  // namespace tailcap::views
