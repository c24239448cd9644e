#include "analyze/sql/request_rows.h"

#include <string>

#include "analyze/model/trace/trace_identity.h"
#include "analyze/model/wire/grpc.h"

namespace tailcap::sql {
namespace {

using model::ExchangeId;
using model::Request;

// Texts that must live until end_row().
struct Texts {
  std::string id, trace, span, taints, parent, peer;
};

std::string known_id(ExchangeId id) { return id.connection == 0 ? std::string() : id_text(id); }

std::string joined(const std::vector<std::string_view>& names) {
  std::string out;
  for (const std::string_view name : names) (out += out.empty() ? "" : ",") += name;
  return out;
}

}  // namespace

std::string id_text(ExchangeId id) { return std::to_string(id.connection) + "." + std::to_string(id.index); }

void insert_requests(Database& database, const RequestFacts& facts) {
  Inserter out(database, "request");
  const model::RequestTable& table = facts.table;
  const auto text = [&](model::TextId id) { out.text_if(id != 0, table.texts[id]); };
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Request row = table.rows[i];
    const Traced& traced = facts.traces[i];
    const auto [local, remote] = facts.ends(row.id.connection);
    const model::TraceIdentity identity = model::trace_identity(table, row, local, remote);
    const model::Cause* const cause = table.causes.find(row.id);
    const Texts t{id_text(row.id),
                  model::trace_hex(traced.context),
                  model::hex_of(traced.context.span),
                  joined(model::names_of(row.taints)),
                  cause ? known_id(cause->parent) : "",
                  known_id(row.peer)};
    const auto call = model::is_call(row) ? model::rpc_name(table.texts[row.path]) : std::nullopt;
    const bool started = formats::known(row.start) && facts.clock.known();
    out.text(t.id);
    out.text(t.trace);
    out.text(traced.trace_source);
    out.time(row.start);
    out.integer_if(row.has_duration, row.duration.count());
    out.integer_if(row.at_least >= 0, row.at_least);
    out.integer_if(started, started ? facts.clock.realtime(row.start) : 0);
    out.integer_if(row.first_byte.count() >= 0, row.first_byte.count());
    const model::Upid upid = row.pid == 0 ? 0 : facts.process(row.pid, row.start);
    const model::Utid utid = row.tid == 0 ? 0 : facts.thread(row.tid, row.start);
    out.integer_if(upid != 0, upid);
    out.integer_if(utid != 0, utid);
    out.text(model::name_of(row.role));
    text(row.route);
    out.integer_if(row.status != 0, row.status);
    text(row.method);
    text(row.path);
    text(row.authority);
    out.text_if(row.protocol != model::Protocol::unknown, model::name_of(row.protocol));
    out.boolean(row.tls);
    out.text(model::name_of(row.outcome));
    out.boolean(row.complete);
    out.text_or_null(t.taints);
    out.integer_if(row.request_bytes >= 0, row.request_bytes);
    out.integer_if(row.response_bytes >= 0, row.response_bytes);
    out.text(t.span);
    out.text(traced.span_source);
    out.text(identity.service_name);
    out.text(identity.service_name_source);
    text(table.own_name(row));
    text(table.handlers.find(row.id));
    text(row.request_id);
    out.integer_if(row.grpc_status >= 0, row.grpc_status);
    out.text_if(call.has_value(), call ? call->service : std::string_view{});
    out.text_if(call.has_value(), call ? call->method : std::string_view{});
    out.integer(row.id.connection);
    out.integer_if(row.stream != 0, row.stream);
    text(local);
    text(remote);
    out.text_or_null(t.parent);
    out.text_or_null(t.peer);
    out.integer_if(row.attempt != 0, row.attempt);
    out.end_row();
  }
}

void insert_links(Database& database, const RequestFacts& facts) {
  Inserter out(database, "link");
  const model::RequestTable& table = facts.table;
  const auto insert = [&](ExchangeId from, ExchangeId to, const std::string& trace, std::string_view kind,
                          std::string_view how, std::string_view confidence, std::int64_t alternatives) {
    const std::string cause = known_id(from), effect = id_text(to);
    out.text_or_null(cause);
    out.text(effect);
    out.text(trace);
    out.text(kind);
    out.text_or_null(how);
    out.text(confidence);
    out.integer(alternatives);
    out.end_row();
  };
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const Request row = table.rows[i];
    const std::string trace = model::trace_hex(facts.traces[i].context);
    if (row.role == model::Role::server && row.peer.connection != 0)
      insert(row.peer, row.id, trace, "other_end", "", "certain", 0);
    if (const model::Cause* const cause = table.causes.find(row.id))
      insert(cause->parent, row.id, trace, "cause", model::name_of(cause->method),
             cause->parent.connection == 0 ? "undecided"
             : cause->certain              ? "certain"
                                           : "likely",
             cause->alternatives);
    if (row.attempt_of.connection != 0)
      insert(row.attempt_of, row.id, trace, "attempt", model::name_of(row.attempt_how),
             row.attempt_how == model::AttemptEvidence::grpc_header ? "certain" : "likely", 0);
  }
}

void insert_streams(Database& database, const RequestFacts& facts) {
  Inserter out(database, "stream");
  for (std::size_t i = 0; i < facts.table.rows.size(); ++i) {
    const Request row = facts.table.rows[i];
    if (row.stream == 0) continue;
    const std::string id = id_text(row.id), trace = model::trace_hex(facts.traces[i].context);
    const bool waits = row.request_flow_control >= 0 && row.response_flow_control >= 0;
    out.integer(row.id.connection);
    out.integer(row.stream);
    out.text(id);
    out.text(trace);
    out.time(row.start);
    out.integer_if(row.has_duration, row.duration.count());
    out.integer_if(row.request_flow_control >= 0, row.request_flow_control);
    out.integer_if(row.response_flow_control >= 0, row.response_flow_control);
    out.integer_if(waits, row.behind_others);
    out.integer_if(row.stream_limit >= 0, row.stream_limit);
    out.integer_if(row.reset_after >= 0, row.reset_after);
    out.boolean(row.pushed);
    out.end_row();
  }
}

}  // namespace tailcap::sql
