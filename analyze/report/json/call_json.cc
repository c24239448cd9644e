#include "analyze/report/json/call_json.h"

#include "analyze/report/json/json_writer.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using formats::known;
using formats::Time;
using model::CallStudy;

class CallWriter {
 public:
  CallWriter(std::string& out, const model::RequestTable& table, const model::WallClock& clock)
      : json_(out), table_(table), clock_(clock) {}

  void write(const CallStudy* calls) {
    if (!calls) return json_.null();
    json_.begin_object();
    statuses(*calls);
    json_.field("request_messages", calls->request_messages);
    json_.field("response_messages", calls->response_messages);
    json_.field("messages_exact", calls->messages_exact);
    deadlines(*calls);
    contexts(*calls);
    json_.end_object();
  }

 private:
  void statuses(const CallStudy& c) {
    json_.key("statuses");
    json_.begin_array();
    for (const auto& [status, n] : c.statuses) {
      json_.begin_object();
      json_.field("grpc_status", static_cast<std::int64_t>(status));
      json_.key("name");
      json_.text_or_null(model::grpc_status_name(status));
      json_.field("count", n);
      json_.end_object();
    }
    json_.end_array();
    json_.field("cancelled", c.cancelled);
    json_.field("without_status", c.without_status);
    json_.key("unimplemented");
    json_.begin_object();
    for (const auto& [cause, n] : c.causes)
      json_.field(cause == model::GrpcCause::unknown ? "unknown" : model::name_of(cause), n);
    json_.end_object();
  }

  void deadlines(const CallStudy& c) {
    json_.field("with_deadline", c.with_deadline);
    json_.field("deadline_met", c.met);
    json_.field("deadline_missed", c.missed);
    json_.field("deadline_abandoned", c.abandoned);
    json_.field("deadline_unknown", c.deadline_unknown);
    json_.key("missed");
    json_.begin_array();
    for (const auto& m : c.misses) {
      const auto row = table_.rows[m.row];
      const std::optional<std::uint32_t> own = m.row;
      const bool server = row.role == model::Role::server;
      json_.begin_object();
      json_.field("timeout_ns", row.grpc.timeout);
      end("client", server ? m.peer : own);
      end("server", server ? own : m.peer);
      json_.end_object();
    }
    json_.end_array();
  }

  void time(std::string_view name, Time t) {
    json_.key(name);
    if (known(t) && clock_.known())
      json_.number(clock_.realtime(t));
    else
      json_.null();
  }

  // One end of a call that missed its deadline.
  void end(std::string_view name, std::optional<std::uint32_t> i) {
    json_.key(name);
    if (!i) return json_.null();
    const auto row = table_.rows[*i];
    json_.begin_object();
    json_.field("id", id_text(row.id));
    time("begin_ns", row.start);
    const bool ended = known(row.start) && (row.has_duration || row.reset_after >= 0);
    time("end_ns",
         ended ? row.start + (row.has_duration ? row.duration : formats::Duration{row.reset_after}) : formats::kNoTime);
    json_.field("outcome", model::name_of(row.outcome));
    json_.end_object();
  }

  void contexts(const CallStudy& c) {
    json_.field("trace_context_in_head", c.context_head);
    json_.field("trace_context_missing", c.context_missing);
    json_.field("trace_context_late", c.context_late);
    json_.key("trace_context_violations");
    json_.begin_array();
    for (const auto& f : c.context_faults) {
      json_.begin_object();
      json_.field("id", id_text(f.id));
      json_.field("stream", f.stream);
      json_.field("what", f.late ? "late" : "missing");
      json_.end_object();
    }
    json_.end_array();
  }

  JsonWriter json_;
  const model::RequestTable& table_;
  const model::WallClock& clock_;
};

}  // namespace

void append_calls(std::string& out, const model::RouteStudy& route, const model::RequestTable& table,
                  const model::WallClock& clock) {
  CallWriter(out, table, clock).write(route.calls ? &*route.calls : nullptr);
}

}  // namespace tailcap::report
