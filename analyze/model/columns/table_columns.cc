#include "analyze/model/columns/getters.h"
#include "analyze/model/columns/parts.h"

namespace tailcap::model::columns {
namespace {

// In no filter and not in JSON.
constexpr RequestColumn outside(const RequestColumn& column) {
  return column.not_on(Surface::filter).not_on(Surface::json);
}

// Traces as spans/ finds them: also those of requests that have no context of their own.
ColumnValue trace_of(const ColumnFacts& f) {
  return f.traced ? ColumnValue{f.keep(trace_hex(f.traced->context))} : ColumnValue{};
}
ColumnValue span_of(const ColumnFacts& f) {
  return f.traced ? ColumnValue{f.keep(hex_of(f.traced->context.span))} : ColumnValue{};
}

constexpr RequestColumn kTableColumns[] = {
    outside(text("trace_id", "of the wire, or as trace_id_source says; 32 hexadecimal digits", trace_of))
        .sql("trace_id", 1)
        .clickhouse("trace_id", 3, "String")
        .log_line("trace_id", 2)
        .har("_trace_id", 1),
    outside(
        text("trace_id_source",
             "the header field that it is from; other end, caller, calls: another request has it; synthetic: made up",
             [](const ColumnFacts& f) { return f.traced ? ColumnValue{f.traced->trace_source} : ColumnValue{}; }))
        .sql("trace_id_source", 2),
    outside(text("span_id", "16 hexadecimal digits", span_of))
        .sql("span_id", 23)
        .clickhouse("span_id", 4, "String")
        .log_line("span_id", 3),
    outside(text("span_id_source", "as trace_id_source",
                 [](const ColumnFacts& f) { return f.traced ? ColumnValue{f.traced->span_source} : ColumnValue{}; }))
        .sql("span_id_source", 24),
    outside(number("ts", "its start, by the recorded machine's monotonic clock",
                   [](const ColumnFacts& f) {
                     const bool seen = formats::known(f.row.start);
                     return number_if(seen, seen ? formats::nanoseconds(f.row.start) : 0);
                   }))
        .sql("ts", 3),
    outside(number("upid", "the process", [](const ColumnFacts& f) { return not_zero(f.upid); })).sql("upid", 8),
    outside(number("utid", "the thread that read (server) or sent (client) its first byte",
                   [](const ColumnFacts& f) { return not_zero(f.utid); }))
        .sql("utid", 9),
    // The route, as the tables route, label and verdict name it.
    outside(text("service", "the route's service", [](const ColumnFacts& f) { return ColumnValue{f.counted.service}; }))
        .clickhouse("service", 6, "String"),
    outside(text("method", "the route's method; empty where several routes were put together",
                 [](const ColumnFacts& f) { return ColumnValue{f.counted.method}; }))
        .clickhouse("method", 8, "String"),
    outside(text("route", "the route", [](const ColumnFacts& f) { return ColumnValue{f.counted.route}; }))
        .clickhouse("route", 9, "String"),
    outside(text("standing", "clean: its duration counts for percentiles",
                 [](const ColumnFacts& f) { return name_or_unknown(f.standing); }))
        .clickhouse("standing", 16, "String"),
};

}  // namespace

std::span<const RequestColumn> table_columns() { return kTableColumns; }

}  // namespace tailcap::model::columns
