#include "analyze/report/json/request_json.h"

#include "analyze/model/trace/trace_identity.h"
#include "analyze/report/json/json_writer.h"
#include "analyze/report/json/or_null.h"
#include "analyze/report/json/partition_json.h"
#include "analyze/report/words/json_schema.h"
#include "analyze/report/words/words.h"
#include "formats/machine.h"

namespace tailcap::report {
namespace {

using model::Request;

void id_or_null(JsonWriter& json, std::string_view name, model::ExchangeId id) {
  json.key(name);
  if (id.connection == 0)
    json.null();
  else
    json.text(id_text(id));
}

void text_of(JsonWriter& json, const model::RequestTable& table, std::string_view name, model::TextId id) {
  json.key(name);
  if (id == 0)
    json.null();
  else
    json.text(table.texts[id]);
}

void duration_or_null(JsonWriter& json, std::string_view name, model::Duration d) {
  field_or_null(json, name, d.count() >= 0, d.count());
}

void setup(JsonWriter& json, const model::RequestTable& table, const Request& row) {
  json.key("setup");
  const model::Setup* s = table.setups.find(row.id);
  if (!s) return json.null();
  json.begin_object();
  const model::Time began = s->began();
  const bool placed = formats::known(began) && formats::known(row.start);
  field_or_null(json, "began_before_ns", placed, placed ? (row.start - began).count() : 0);
  duration_or_null(json, "dns_ns", s->dns());
  text_of(json, table, "dns_name", s->dns().count() < 0 ? 0 : s->dns_name);
  field_or_null(json, "dns_attempts", s->dns().count() >= 0, s->dns_attempts);
  duration_or_null(json, "connect_ns", s->connect());
  duration_or_null(json, "tls_ns", s->tls());
  json.key("tls_exact");
  if (s->tls().count() >= 0)
    json.boolean(s->tls_exact);
  else
    json.null();
  json.key("tls_version");
  json.text_or_null(model::tls_version(s->tls_version));
  json.key("tls_cipher");
  json.text_or_null(model::tls_cipher(s->tls_cipher));
  text_of(json, table, "tls_server_name", s->tls_server_name);
  json.key("tls_resumed");
  if (s->tls_resumed)
    json.boolean(*s->tls_resumed);
  else
    json.null();
  json.end_object();
}

// The request that made this one: null, or undecided with the number of possible parents.
void parent(JsonWriter& json, const model::RequestTable& table, const Request& row) {
  const model::Cause* cause = table.causes.find(row.id);
  const bool decided = cause && cause->parent.connection != 0;
  id_or_null(json, "parent", decided ? cause->parent : model::ExchangeId{});
  json.key("parent_how");
  json.text_or_null(cause ? model::name_of(cause->method) : std::string_view{});
  json.key("parent_confidence");
  json.text_or_null(!decided ? std::string_view{} : cause->certain ? "certain" : "likely");
  field_or_null(json, "parent_alternatives", cause != nullptr, cause ? cause->alternatives : 0);
  if (cause && cause->lost) json.field("parent_unknown", "events_lost");
}

// A row's gRPC facts; null if it is no call.
void rpc(JsonWriter& json, const model::RequestTable& table, const Request& row) {
  json.key("rpc");
  if (!model::is_call(row)) return json.null();
  const auto name = model::rpc_name(table.texts[row.path]);
  const auto& call = row.grpc;
  json.begin_object();
  json.key("service");
  json.text_or_null(name ? name->service : std::string_view{});
  json.key("method");
  json.text_or_null(name ? name->method : std::string_view{});
  json.field("malformed_path", row.path != 0 && !name);
  json.key("status");
  json.text_or_null(model::grpc_status_name(row.grpc_status));
  text_of(json, table, "message", call.message);
  field_or_null(json, "request_messages", call.request_messages >= 0, call.request_messages);
  field_or_null(json, "response_messages", call.response_messages >= 0, call.response_messages);
  json.field("messages_exact", call.exact);
  field_or_null(json, "timeout_ns", call.timeout >= 0, call.timeout);
  json.key("deadline");
  json.text_or_null(model::name_of(model::deadline_of(row)));
  json.key("trace_context");
  json.text_or_null(model::name_of(call.context));
  json.end_object();
}

void headers(JsonWriter& json, std::string_view name, const model::Headers* fields) {
  json.key(name);
  if (!fields) return json.null();
  json.begin_array();
  for (std::size_t i = 0; i < fields->size(); ++i) {
    json.begin_array();
    json.text((*fields)[i].name);
    json.text((*fields)[i].value);
    json.end_array();
  }
  json.end_array();
}

// The facts that only HTTP/2 streams have.
void http2(JsonWriter& json, const Request& row) {
  json.key("http2");
  if (row.stream == 0) return json.null();
  const bool known = row.request_flow_control >= 0 && row.response_flow_control >= 0;
  json.begin_object();
  field_or_null(json, "flow_control_ns", known, row.request_flow_control + row.response_flow_control);
  field_or_null(json, "request_flow_control_ns", row.request_flow_control >= 0, row.request_flow_control);
  field_or_null(json, "response_flow_control_ns", row.response_flow_control >= 0, row.response_flow_control);
  field_or_null(json, "behind_others_ns", known, row.behind_others);
  field_or_null(json, "behind_others_bytes", known, row.behind_others_bytes);
  json.key("opened_at_limit");
  if (known && row.role == model::Role::client)
    json.boolean(row.stream_limit >= 0);
  else
    json.null();
  field_or_null(json, "stream_limit_ns", row.stream_limit >= 0, row.stream_limit);
  json.field("pushed", row.pushed);
  json.key("from_other_end");
  json.begin_array();
  for (const auto name : model::names_of_filled(row.from_peer)) json.text(name);
  json.end_array();
  json.end_object();
}

// What the connection alone says.
void append_wire(JsonWriter& json, const Request& row) {
  http2(json, row);
  json.key("phases");
  if (row.has_phases) {
    json.begin_object();
    const auto names = model::phases_of(row.role);
    for (std::size_t i = 0; i < names.size(); ++i) json.field(model::name_of(names[i]), std::int64_t{row.phases[i]});
    json.end_object();
  } else {
    json.null();
  }
  append_milestones(json, row);
}

}  // namespace

void append_request(std::string& out, const model::RequestTable& table, const Request& row,
                    const model::WallClock& clock, const RequestExtras& extras) {
  JsonWriter json(out);
  json.begin_object();
  if (extras.alone) json.field("schema", kJsonSchema);
  json.field("id", id_text(row.id));
  json.field("role", model::name_of(row.role));
  json.key("protocol");
  if (row.protocol == model::Protocol::unknown)
    json.null();
  else
    json.text(model::name_of(row.protocol));
  json.field("tls", row.tls);
  text_of(json, table, "method", row.method);
  text_of(json, table, "path", row.path);
  if (!extras.live) text_of(json, table, "route", row.route);
  text_of(json, table, "authority", row.authority);
  field_or_null(json, "status", row.status != 0, row.status);
  field_or_null(json, "grpc_status", row.grpc_status >= 0, row.grpc_status);
  json.key("grpc_cause");
  json.text_or_null(row.grpc_status == 12 ? model::name_of(model::unimplemented_cause(table.texts[row.grpc.message]))
                                          : std::string_view{});
  rpc(json, table, row);
  json.field("outcome", model::name_of(row.outcome));
  json.field("complete", row.complete);
  json.key("tainted");
  json.begin_array();
  for (const auto name : model::names_of(row.taints)) json.text(name);
  json.end_array();
  const bool started = formats::known(row.start) && clock.known();
  field_or_null(json, "start_ns", started, started ? clock.realtime(row.start) : 0);
  field_or_null(json, "duration_ns", row.has_duration, row.duration.count());
  field_or_null(json, "duration_at_least_ns", row.at_least >= 0, row.at_least);
  field_or_null(json, "first_byte_ns", row.first_byte.count() >= 0, row.first_byte.count());
  field_or_null(json, "reset_ns", row.reset_after >= 0, row.reset_after);
  field_or_null(json, "request_bytes", row.request_bytes >= 0, row.request_bytes);
  field_or_null(json, "response_bytes", row.response_bytes >= 0, row.response_bytes);
  field_or_null(json, "pid", row.pid != 0, formats::number_of(row.pid));
  field_or_null(json, "tid", row.tid != 0, formats::number_of(row.tid));
  field_or_null(json, "machine", row.pid != 0, formats::machine_of(row.pid) + 1);
  text_of(json, table, "comm", table.own_name(row));
  if (!extras.live) text_of(json, table, "handler", table.handlers.find(row.id));
  json.field("connection", row.id.connection);
  field_or_null(json, "stream", row.stream != 0, row.stream);
  const std::string_view trace = table.texts[row.traceparent];
  // The header names the caller's span: on the client's side that is the request itself, on the server's its parent.
  const bool client = row.role == model::Role::client;
  const std::string_view span = model::span_id_in(trace);
  const model::TraceIdentity identity = model::trace_identity(table, row, extras.local, extras.remote);
  // Made-up ids and names follow from the other end.
  if (!extras.live || identity.trace_id_source != model::kSynthetic) {
    json.field("trace_id", identity.trace_id);
    json.field("trace_id_source", identity.trace_id_source);
  }
  if (!extras.live || identity.span_id_source != model::kSynthetic) {
    json.field("span_id", identity.span_id);
    json.field("span_id_source", identity.span_id_source);
  }
  if (!extras.live) {
    json.field("service_name", identity.service_name);
    json.field("service_name_source", identity.service_name_source);
  }
  json.key("parent_span_id");
  json.text_or_null(client ? std::string_view{} : span);
  json.key("trace_format");
  json.text_or_null(model::name_of(row.trace_format));
  json.key("trace_flags");
  if (const int flags = model::trace_flags_in(trace); flags >= 0)
    json.number(std::int64_t{flags});
  else
    json.null();
  text_of(json, table, "request_id", row.request_id);
  if (extras.live) {
    append_wire(json, row);
    return json.end_object();
  }
  parent(json, table, row);
  id_or_null(json, "peer", row.peer);
  json.key("split");
  if (extras.split) {
    json.begin_object();
    json.field("out_ns", std::int64_t{extras.split->out.count()});
    json.field("server_ns", std::int64_t{extras.split->server.count()});
    json.field("back_ns", std::int64_t{extras.split->back.count()});
    field_or_null(json, "error_ns", extras.split->error >= 0, extras.split->error);
    json.end_object();
  } else {
    json.null();
  }
  field_or_null(json, "attempt", row.attempt != 0, row.attempt);
  id_or_null(json, "attempt_of", row.attempt_of);
  json.key("attempt_how");
  json.text_or_null(row.attempt == 0 ? std::string_view{} : model::name_of(row.attempt_how));
  append_wire(json, row);
  append_labels(json, table, row);
  setup(json, table, row);
  text_of(json, table, "local", extras.local);
  text_of(json, table, "remote", extras.remote);
  if (extras.with_headers) {
    headers(json, "request_headers", extras.request_headers);
    headers(json, "response_headers", extras.response_headers);
    headers(json, "request_trailers", extras.request_trailers);
    headers(json, "response_trailers", extras.response_trailers);
  }
  json.end_object();
}

}  // namespace tailcap::report
