#include "analyze/sql/schema.h"

#include <algorithm>
#include <array>

#include "analyze/sql/columns.h"
#include "analyze/sql/request_columns.h"

namespace tailcap::sql {
namespace {

constexpr const char* kOtelTraces =
    R"(SELECT ts AS "Timestamp", trace_id AS "TraceId", span_id AS "SpanId", parent_span_id AS "ParentSpanId",
  trace_state AS "TraceState", name AS "SpanName", kind AS "SpanKind", service_name AS "ServiceName",
  resource_attributes AS "ResourceAttributes", scope_name AS "ScopeName", scope_version AS "ScopeVersion",
  attributes AS "SpanAttributes", dur AS "Duration", status_code AS "StatusCode", status_message AS "StatusMessage",
  event_times AS "Events.Timestamp", event_names AS "Events.Name", event_attributes AS "Events.Attributes",
  link_traces AS "Links.TraceId", link_spans AS "Links.SpanId", link_states AS "Links.TraceState",
  link_attributes AS "Links.Attributes" FROM _span)";

constexpr const char* kServed = "SELECT * FROM request WHERE role = 'server' OR peer_request_id IS NULL";

const auto& every_table() {
  static const auto tables = std::to_array<SqlTable>({
      {"request", "one row for each request at each recorded end of its connection", request_columns()},
      {"served",
       "one row for each request, also where both ends of its connection were recorded: the server's, else the "
       "client's; its columns are those of request",
       request_columns(), kServed, false, false},
      {"segment", "what a request waited for, interval by interval; the intervals of a request partition its time",
       kSegment},
      {"account", "the sums of that: a request's time by phase, label and evidence; they add up to its duration",
       kAccount},
      {"link", "which request caused, repeats or is the other end of which", kLink},
      {"connection", "one row for each recorded end of a connection", kConnection},
      {"stream", "one row for each HTTP/2 stream that carried a request", kStream},
      {"process", "processes that were seen", kProcess},
      {"process_use", "CPU time and memory of recorded processes over time", kProcessUse},
      {"thread", "threads that were seen", kThread},
      {"thread_state", "what threads did: intervals on and off a CPU", kThreadState},
      {"sample", "stacks that were taken: on the CPU, of waits, of preemptions and allocations", kSample},
      {"verdict", "what was slow, and why: the answers with which the report begins", kVerdict},
      {"loss", "what is missing from the capture", kLoss},
      {"log", "lines of log files that --join-logs names", kLog},
      {"clock", "readings of the machine's clocks", kClock},
      {"block", "blocks of the file", kBlock},
      {"_captures", "the capture itself, one row", kCaptures},
      {"_schema_version", "the version of these tables", kSchemaVersion},
      {"_span", "spans", kSpan, nullptr, true},
      {"otel_traces", "requests as spans, with the columns of the ClickHouse exporter of the OpenTelemetry Collector",
       kOtelColumns, kOtelTraces},
  });
  return tables;
}

}  // namespace

std::span<const SqlTable> tables() { return every_table(); }

const SqlTable* find_table(std::string_view name) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  const auto& all = every_table();
  const auto at = std::ranges::find_if(
      all, [&](const SqlTable& t) { return std::ranges::equal(std::string_view(t.name), name, {}, {}, lower); });
  return at == all.end() ? nullptr : &*at;
}

std::string_view name_of(SqlType type) {
  constexpr std::string_view names[] = {"INTEGER", "REAL", "TEXT"};
  return names[static_cast<std::size_t>(type)];
}

std::string created_by(const SqlTable& table) {
  if (table.view) return std::string("CREATE VIEW ") + table.name + " AS " + table.view;
  std::string sql = std::string("CREATE TABLE ") + table.name + " (";
  for (const SqlColumn& column : table.columns) {
    if (&column != table.columns.data()) sql += ", ";
    (sql += column.name) += ' ';
    sql += name_of(column.type);
    if (!column.same_as.empty()) (sql += " AS (").append(column.same_as) += ") VIRTUAL";
  }
  return sql + ") STRICT";
}

}  // namespace tailcap::sql
