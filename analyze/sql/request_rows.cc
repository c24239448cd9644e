#include "analyze/sql/request_rows.h"

#include <string>
#include <tuple>

#include "analyze/model/columns/columns.h"
#include "analyze/model/columns/whole_row.h"

namespace tailcap::sql {
namespace {

namespace columns = model::columns;
using model::ExchangeId;
using model::Request;

std::string known_id(ExchangeId id) { return id.connection == 0 ? std::string() : id_text(id); }

std::string joined(const columns::Flags& flags) {
  std::string out;
  for (const std::string_view name : flags.names(flags.bits)) (out += out.empty() ? "" : ",") += name;
  return out;
}

void insert(Inserter& out, const columns::ColumnValue& value, const columns::ColumnFacts& facts) {
  if (const auto* const number = std::get_if<std::int64_t>(&value))
    out.integer(*number);
  else if (const auto* const text = std::get_if<std::string_view>(&value))
    out.text(*text);
  else if (const auto* const truth = std::get_if<bool>(&value))
    out.boolean(*truth);
  else if (const auto* const flags = std::get_if<columns::Flags>(&value))
    out.text_or_null(facts.keep(joined(*flags)));
  else
    out.null();
}

}  // namespace

std::string id_text(ExchangeId id) { return std::to_string(id.connection) + "." + std::to_string(id.index); }

void insert_requests(Database& database, const RequestFacts& known) {
  Inserter out(database, "request");
  const auto all = columns::on(columns::Surface::sql);
  for (std::size_t i = 0; i < known.table.rows.size(); ++i) {
    const Request row = model::whole_row(known.table, i);
    columns::ColumnFacts facts(known.table, row);
    facts.clock = &known.clock;
    std::tie(facts.local, facts.remote) = known.ends(row.id.connection);
    facts.traced = &known.traces[i];
    facts.split = known.splits.find(row.id);
    facts.upid = row.pid == 0 ? 0 : known.process(row.pid, row.start);
    facts.utid = row.tid == 0 ? 0 : known.thread(row.tid, row.start);
    for (const columns::RequestColumn* const column : all)
      insert(out, out.wanted() ? column->get(facts) : columns::ColumnValue{}, facts);
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
