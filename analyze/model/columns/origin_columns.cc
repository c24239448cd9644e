#include "analyze/model/columns/getters.h"
#include "analyze/model/columns/parts.h"
#include "formats/machine.h"

namespace tailcap::model::columns {
namespace {

// Made-up ids follow from the other end, which may come later.
ColumnValue of_wire_if_live(const ColumnFacts& f, std::string_view value, std::string_view source) {
  return f.live && source == kSynthetic ? ColumnValue{} : ColumnValue{value};
}

ColumnValue parent_span_of(const ColumnFacts& f) {
  return f.row.role == Role::client ? ColumnValue{} : name_or_unknown(span_id_in(f.text(f.row.traceparent)));
}

ValueNames trace_formats() { return names_up_to<TraceFormat::conflicting>(); }

constexpr auto kLiveUnknown = RequestColumn::Omitted::live_unknown;

constexpr RequestColumn kOriginColumns[] = {
    number("pid", "process that read (server) its first byte, or (client) the first byte of the response",
           [](const ColumnFacts& f) { return not_zero(formats::number_of(f.row.pid)); }),
    number("tid", "the thread of that process",
           [](const ColumnFacts& f) { return not_zero(formats::number_of(f.row.tid)); }),
    number("machine", "the machine of pid and tid in a merged capture, from 1; otherwise 1",
           [](const ColumnFacts& f) { return number_if(f.row.pid != 0, formats::machine_of(f.row.pid) + 1); }),
    text("comm", "name of the process at that time",
         [](const ColumnFacts& f) { return text_of(f, f.table.own_name(f.row)); })
        .sql("comm", 27),
    text("handler", "Go: the function that served it", [](const ColumnFacts& f) { return text_of(f, f.row.handler); })
        .at_its_end()
        .sql("handler", 28),
    number("connection", "the end of a connection, as in id",
           [](const ColumnFacts& f) { return ColumnValue{std::int64_t{f.row.id.connection}}; })
        .sql("connection_id", 33),
    number("stream", "HTTP/2's number of the stream", [](const ColumnFacts& f) { return not_zero(f.row.stream); })
        .sql("stream_id", 34),
    text("trace_id", "trace of the context in the request's head, else made up: the same at both ends",
         [](const ColumnFacts& f) { return of_wire_if_live(f, f.identity().trace_id, f.identity().trace_id_source); })
        .of_the_whole()
        .omitted_where(kLiveUnknown),
    text("trace_id_source", "the header field that trace_id is from, as trace_format; synthetic: it is made up",
         [](const ColumnFacts& f) {
           return of_wire_if_live(f, f.identity().trace_id_source, f.identity().trace_id_source);
         })
        .omitted_where(kLiveUnknown),
    text("span_id", "of a client the span that the header names, else made up",
         [](const ColumnFacts& f) { return of_wire_if_live(f, f.identity().span_id, f.identity().span_id_source); })
        .omitted_where(kLiveUnknown),
    text("span_id_source", "as trace_id_source",
         [](const ColumnFacts& f) {
           return of_wire_if_live(f, f.identity().span_id_source, f.identity().span_id_source);
         })
        .omitted_where(kLiveUnknown),
    text("service_name", "the service of the process at this end, or what the request names",
         [](const ColumnFacts& f) { return ColumnValue{std::string_view(f.identity().service_name)}; })
        .needing(kEnds)
        .at_its_end()
        .sql("service_name", 25)
        .log_line("service_name", 1),
    text("service_name_source", "process, host, :authority, listener, address, unknown",
         [](const ColumnFacts& f) { return ColumnValue{f.identity().service_name_source}; })
        .needing(kEnds)
        .at_its_end()
        .sql("service_name_source", 26),
    text("parent_span_id", "of a server the span that the header names, which is the caller's", parent_span_of)
        .sql("parent_span_id", 50),
    text("trace_format", "the header field that the trace context was read from",
         [](const ColumnFacts& f) { return name_or_unknown(name_of(f.row.trace_format)); })
        .one_of(trace_formats)
        .sql("trace_format", 51),
    number("trace_flags", "the flags of the trace context; bit 0: sampled",
           [](const ColumnFacts& f) { return not_negative(trace_flags_in(f.text(f.row.traceparent))); })
        .sql("trace_flags", 52),
    text("x_request_id", "value of X-Request-Id", [](const ColumnFacts& f) { return text_of(f, f.row.request_id); })
        .formerly("request_id")
        .sql("x_request_id", 29),
};

}  // namespace

std::span<const RequestColumn> origin_columns() { return kOriginColumns; }

}  // namespace tailcap::model::columns
