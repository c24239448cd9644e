// `tailcap show --json`; docs/JSON.md describes every name.
#include <algorithm>

#include "analyze/model/wire/trace_formats.h"
#include "analyze/report/json/function_json.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/json/or_null.h"
#include "analyze/report/json/partition_json.h"
#include "analyze/report/json/request_json.h"
#include "analyze/report/request/files.h"
#include "analyze/report/request/show.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/number.h"
#include "formats/fields/names.h"
#include "ground/syscalls.h"

namespace tailcap::report {
namespace {

using formats::known;
using formats::Time;
using model::RequestDetail;

// One end of the connection.
class EndWriter {
 public:
  EndWriter(JsonWriter& json, const RequestDetail& d, const model::Study& study, const model::RequestTable& table)
      : json_(json), d_(d), study_(study), table_(table) {}

  void write() {
    json_.begin_object();
    request();
    instants();
    call();
    reset();
    windows();
    connection();
    course();
    append_files(json_, d_.files, d_.row, study_.quality.preamble);
    samples("samples", d_.samples);
    samples("preempted", d_.preempted);
    waits();
    events();
    json_.end_object();
  }

 private:
  // From the start of the request.
  void offset(std::string_view name, Time t) {
    json_.key(name);
    if (known(t) && known(d_.row.start))
      json_.number((t - d_.row.start).count());
    else
      json_.null();
  }
  void wall(std::string_view name, Time t) {
    json_.key(name);
    if (known(t) && study_.quality.clock.known())
      json_.number(study_.quality.clock.realtime(t));
    else
      json_.null();
  }
  void samples(std::string_view name, const std::optional<model::RequestSamples>& of) {
    json_.key(name);
    if (!of) return json_.null();
    json_.begin_object();
    json_.field("count", of->count);
    json_.key("top");
    json_.text_or_null(of->top);
    json_.field("of_top", of->of_top);
    json_.key("stack");
    json_.text_or_null(of->stack);
    json_.field("of_stack", of->of_stack);
    json_.key("function");
    append_function(json_, of->function);
    json_.end_object();
  }

  void request() {
    std::string text;
    RequestExtras extras;
    extras.local = d_.local;
    extras.remote = d_.remote;
    extras.with_headers = true;
    const auto& e = d_.exchange;
    if (e.request_headers_complete || e.request_headers.size() != 0) extras.request_headers = &e.request_headers;
    if (e.response_headers_complete || e.response_headers.size() != 0) extras.response_headers = &e.response_headers;
    if (e.request_trailers.size() != 0) extras.request_trailers = &e.request_trailers;
    if (e.response_trailers.size() != 0) extras.response_trailers = &e.response_trailers;
    append_request(text, table_, d_.row, study_.quality.clock, extras);
    json_.key("request");
    json_.raw(text);
    members("tracestate", e.request_headers, model::members_of_tracestate);
    members("baggage", e.request_headers, model::members_of_baggage);
    trace_bound();
    json_.field("request_headers_complete", e.request_headers_complete);
    json_.field("response_headers_complete", e.response_headers_complete);
  }

  // What travels with the trace: of all fields of that name, in order.
  void members(std::string_view name, const model::Headers& fields, model::Members (*parse)(std::string_view)) {
    json_.key(name);
    json_.begin_array();
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (!std::ranges::equal(fields[i].name, name,
                              [](char x, char y) { return (x >= 'A' && x <= 'Z' ? x + ('a' - 'A') : x) == y; }))
        continue;
      for (const auto& [key, value] : parse(fields[i].value)) {
        json_.begin_array();
        json_.text(key);
        json_.text(value);
        json_.end_array();
      }
    }
    json_.end_array();
  }

  void trace_bound() {
    json_.key("trace_bound");
    const auto& b = d_.bound;
    if (!b) return json_.null();
    json_.begin_object();
    json_.field("field", b->field);
    json_.field("byte", b->byte);
    json_.field("sequence", b->sequence);
    field_or_null(json_, "part", b->part > 0, b->part);
    field_or_null(json_, "parts", b->part > 0, b->parts);
    offset("at_ns", b->at);
    offset("read_ns", b->read);
    json_.end_object();
  }

  void stretch_of(std::string_view name, const model::Instants& i) {
    json_.key(name);
    json_.begin_object();
    offset("first_arrived_ns", i.first_arrived);
    offset("last_arrived_ns", i.last_arrived);
    offset("first_done_ns", i.first_done);
    offset("last_done_ns", i.last_done);
    json_.end_object();
  }

  void instants() {
    const auto& e = d_.exchange;
    json_.key("instants");
    json_.begin_object();
    stretch_of("request", e.request);
    stretch_of("response", e.response);
    offset("request_head_done_ns", e.request_head_done);
    offset("request_body_arrived_ns", e.request_body_arrived);
    offset("continue_done_ns", e.continue_done);
    offset("predecessor_done_ns", e.predecessor_done);
    json_.end_object();
  }

  void messages(std::string_view name, const std::optional<model::GrpcFacts>& facts) {
    json_.key(name);
    if (!facts) return json_.null();
    json_.begin_object();
    json_.field("messages", facts->messages);
    json_.field("compressed", facts->compressed);
    json_.field("bytes", facts->bytes);
    json_.field("exact", facts->exact);
    json_.field("broken_off", facts->broken_off);
    json_.key("listed");
    json_.begin_array();
    for (const auto& m : facts->listed) {
      json_.begin_object();
      json_.field("bytes", m.length);
      json_.field("compressed", m.compressed);
      offset("first_arrived_ns", m.first_arrived);
      offset("last_arrived_ns", m.last_arrived);
      offset("first_done_ns", m.first_done);
      offset("last_done_ns", m.last_done);
      json_.end_object();
    }
    json_.end_array();
    json_.end_object();
  }

  void call() {
    json_.key("grpc");
    if (!model::is_call(d_.row)) return json_.null();
    const auto& e = d_.exchange;
    json_.begin_object();
    json_.field("trailers_only", e.response_grpc && e.response_grpc->trailers_only);
    const auto* first = e.request_grpc && !e.request_grpc->listed.empty() ? &e.request_grpc->listed.front() : nullptr;
    const bool placed = first && e.request_grpc->context == model::GrpcContext::head && known(first->first_done) &&
                        known(e.request_head_done);
    field_or_null(json_, "trace_context_before_messages_ns", placed,
                  placed ? (first->first_done - e.request_head_done).count() : 0);
    messages("request", e.request_grpc);
    messages("response", e.response_grpc);
    json_.end_object();
  }

  void reset() {
    json_.key("reset");
    const auto& r = d_.exchange.reset;
    if (!r) return json_.null();
    const bool own = r->by == formats::Direction::out;
    json_.begin_object();
    field_or_null(json_, "code", r->code.has_value(), r->code.value_or(0));
    json_.field("by", model::name_of(own                                  ? d_.row.role
                                     : d_.row.role == model::Role::server ? model::Role::client
                                                                          : model::Role::server));
    json_.field("goaway", r->goaway);
    json_.field("unprocessed", r->unprocessed);
    offset("arrived_ns", own ? formats::kNoTime : r->at);
    offset("done_ns", r->done);
    json_.end_object();
  }

  // Waiting for the receiver's window, as far as it is listed.
  void windows() {
    const auto& e = d_.exchange;
    json_.key("window_waits");
    json_.begin_array();
    for (const auto* waits : {&e.request_window_waits, &e.response_window_waits})
      for (const auto& w : waits->listed) {
        json_.begin_object();
        json_.field("message", waits == &e.request_window_waits ? "request" : "response");
        json_.field("window", w.connection ? "connection" : "stream");
        offset("from_ns", w.from);
        offset("to_ns", w.to);
        offset("resumed_ns", w.resumed);
        json_.field("counted", model::held_up(w));
        json_.end_object();
      }
    json_.end_array();
    json_.field("window_waits_left_out", e.request_window_waits.more + e.response_window_waits.more);
  }

  void connection() {
    const auto& c = d_.connection;
    json_.key("connection");
    json_.begin_object();
    json_.field("number", d_.row.id.connection);
    wall("connect_started_ns", c.connect_started);
    wall("established_ns", c.established);
    wall("closed_ns", c.closed);
    field_or_null(json_, "error", c.error != 0, c.error);
    json_.field("reset_received", c.reset_received);
    json_.field("reset_sent", c.reset_sent);
    json_.field("bytes_in", c.bytes_in);
    json_.field("bytes_out", c.bytes_out);
    json_.field("lost_in", c.lost_in);
    json_.field("lost_out", c.lost_out);
    json_.field("retransmits", c.retransmits);
    json_.field("events_missed", c.events_missed);
    json_.key("tls");
    if (!c.tls) {
      json_.null();
    } else {
      json_.begin_object();
      json_.field("library", model::name_of(c.library));
      field_or_null(json_, "carrier", c.carrier != 0, c.carrier);
      json_.field("bound_by", model::name_of(c.how));
      json_.end_object();
    }
    json_.end_object();
  }

  void course() {
    if (d_.course) return append_course(json_, *d_.course, d_.row, model::NamedBlockers(table_.partitions));
    json_.key("course");
    json_.null();
    json_.key("calls");
    json_.null();
  }

  void waits() {
    json_.key("waits");
    json_.begin_array();
    for (const auto& w : d_.waits) {
      json_.begin_object();
      offset("left_ns", w.left);
      offset("runnable_ns", w.runnable);
      offset("back_ns", w.back);
      json_.field("state", w.state);
      json_.key("syscall");
      if (w.syscall < 0)
        json_.null();
      else
        json_.text(ground::syscall_name(w.syscall));
      json_.key("arguments");
      json_.begin_array();
      json_.number(w.argument0);
      json_.number(w.argument1);
      json_.end_array();
      field_or_null(json_, "waker", w.waker != 0, w.waker);
      json_.field("woken_in", formats::name_of(w.woken_in));
      json_.field("timed", w.timed);
      json_.field("missed", std::uint32_t{w.missed});
      json_.end_object();
    }
    json_.end_array();
    json_.field("waits_left_out", d_.waits_left_out);
  }

  void events() {
    constexpr std::string_view kNames[] = {"retransmit", "reset_sent", "reset_received", "error", "loss"};
    json_.key("events");
    json_.begin_array();
    for (const auto& e : d_.events) {
      json_.begin_object();
      json_.field("kind", kNames[static_cast<std::size_t>(e.kind)]);
      offset("at_ns", e.time);
      json_.field("length", e.length);
      field_or_null(json_, "error", e.error != 0, e.error);
      json_.end_object();
    }
    json_.end_array();
    json_.field("events_left_out", d_.events_left_out);
  }

  JsonWriter& json_;
  const RequestDetail& d_;
  const model::Study& study_;
  const model::RequestTable& table_;
};

}  // namespace

std::string json_show(const model::Detail& detail, const model::Study& study, const model::RequestTable& table) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("schema", kJsonSchema);
  const model::Quality& quality = study.quality;
  field_or_null(json, "read_from_ns", known(quality.read_from), (quality.read_from - quality.file.first).count());
  field_or_null(json, "read_until_ns", known(quality.read_until), (quality.read_until - quality.file.first).count());
  json.key("end");
  EndWriter(json, detail.request, study, table).write();
  json.key("other_end");
  if (detail.peer)
    EndWriter(json, *detail.peer, study, table).write();
  else
    json.null();
  json.end_object();
  return out + "\n";
}

}  // namespace tailcap::report
