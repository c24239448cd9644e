#include <algorithm>

#include "analyze/model/columns/getters.h"
#include "analyze/model/columns/parts.h"

namespace tailcap::model::columns {
namespace {

ValueNames protocols() {
  ValueNames out = names_up_to<Protocol::dns>();
  std::erase(out, name_of(Protocol::unknown));
  return out;
}
ValueNames statuses_of_calls() {
  ValueNames out;
  for (int code = 0; !grpc_status_name(code).empty(); ++code) out.push_back(grpc_status_name(code));
  return out;
}
ValueNames all_taints() { return names_of(~Taints{0}); }

ColumnValue rpc_part(const ColumnFacts& f, std::string_view RpcName::*part) {
  const auto name = is_call(f.row) ? rpc_name(f.text(f.row.path)) : std::nullopt;
  return name ? ColumnValue{(*name).*part} : ColumnValue{};
}
// Only calls have n; negative: unknown.
ColumnValue of_call(const ColumnFacts& f, std::int64_t n) { return number_if(is_call(f.row) && n >= 0, n); }
ColumnValue grpc_cause_of(const ColumnFacts& f) {
  constexpr int kUnimplemented = 12;
  if (f.row.grpc_status != kUnimplemented) return {};
  return name_or_unknown(name_of(unimplemented_cause(f.text(f.row.grpc.message))));
}

constexpr RequestColumn kMessageColumns[] = {
    text("id", "as all commands name it: 12.3, the third on connection 12",
         [](const ColumnFacts& f) { return id_of(f, f.row.id); })
        .sql("id", 0)
        .clickhouse("id", 2, "String")
        .log_line("id", 4)
        .har("_id", 0),
    text("role", "the end of the connection at which it was seen",
         [](const ColumnFacts& f) { return ColumnValue{name_of(f.row.role)}; })
        .one_of(names_up_to<Role::client>)
        .sql("role", 10)
        .clickhouse("role", 7, "String")
        .log_line("role", 5)
        .har("_role", 2),
    text("protocol",
         "HTTP's version, gRPC, the protocol of a store, or what a set-up that failed was of (tcp, tls, dns)",
         [](const ColumnFacts& f) {
           return f.row.protocol == Protocol::unknown ? ColumnValue{} : ColumnValue{name_of(f.row.protocol)};
         })
        .one_of(protocols)
        .sql("protocol", 16)
        .clickhouse("protocol", 12, "String"),
    boolean("tls", "whether it was read as the plaintext of a TLS library",
            [](const ColumnFacts& f) { return ColumnValue{f.row.tls}; })
        .sql("tls", 17)
        .clickhouse("tls", 20, "UInt8"),
    text("method", "as sent", [](const ColumnFacts& f) { return text_of(f, f.row.method); })
        .sql("method", 13)
        .log_line("method", 6),
    text("path", "the request target as sent, with its query; masked values are asterisks",
         [](const ColumnFacts& f) { return text_of(f, f.row.path); })
        .sql("path", 14)
        .clickhouse("path", 10, "String")
        .log_line("path", 7),
    text("route", "the path template that it is counted under; (other) beyond --max-routes",
         [](const ColumnFacts& f) { return text_of(f, f.row.route); })
        .at_its_end()
        .sql("route", 11)
        .log_line("route", 8),
    text("authority", "host of an absolute target, else Host or :authority",
         [](const ColumnFacts& f) { return text_of(f, f.row.authority); })
        .sql("authority", 15)
        .clickhouse("authority", 11, "String"),
    number("status", "HTTP status of the final response", [](const ColumnFacts& f) { return not_zero(f.row.status); })
        .sql("status", 12)
        .clickhouse("status", 13, "Nullable(UInt16)")
        .log_line("status", 9),
    number("grpc_status", "gRPC's status as the server sent it",
           [](const ColumnFacts& f) { return not_negative(f.row.grpc_status); })
        .sql("grpc_status", 30)
        .clickhouse("grpc_status", 14, "Nullable(UInt32)"),
    text("grpc_cause", "why a call was answered UNIMPLEMENTED, by the words of rpc.message", grpc_cause_of)
        .one_of(names_up_to<GrpcCause::other>)
        .sql("grpc_cause", 40),
    text("rpc.service", "the service in the path of a call",
         [](const ColumnFacts& f) { return rpc_part(f, &RpcName::service); })
        .sql("rpc_service", 31),
    text("rpc.method", "the method in the path of a call",
         [](const ColumnFacts& f) { return rpc_part(f, &RpcName::method); })
        .sql("rpc_method", 32),
    boolean("rpc.malformed_path", "whether the path of a call has not the form /service/method",
            [](const ColumnFacts& f) {
              return boolean_if(is_call(f.row), f.row.path != 0 && !rpc_name(f.text(f.row.path)));
            })
        .sql("rpc_malformed_path", 41),
    text("rpc.status", "the name of grpc_status",
         [](const ColumnFacts& f) { return name_or_unknown(grpc_status_name(f.row.grpc_status)); })
        .one_of(statuses_of_calls)
        .sql("rpc_status", 42),
    text("rpc.message", "grpc-message, decoded", [](const ColumnFacts& f) { return text_of(f, f.row.grpc.message); })
        .sql("rpc_message", 43),
    number("rpc.request_messages", "complete messages of the request; a lower bound without rpc.messages_exact",
           [](const ColumnFacts& f) { return of_call(f, f.row.grpc.request_messages); })
        .sql("rpc_request_messages", 44),
    number("rpc.response_messages", "complete messages of the response; a lower bound without rpc.messages_exact",
           [](const ColumnFacts& f) { return of_call(f, f.row.grpc.response_messages); })
        .sql("rpc_response_messages", 45),
    boolean("rpc.messages_exact", "whether the numbers of messages are exact",
            [](const ColumnFacts& f) { return boolean_if(is_call(f.row), f.row.grpc.exact); })
        .sql("rpc_messages_exact", 46),
    duration("rpc.timeout_ns", "the timeout that the client sent",
             [](const ColumnFacts& f) { return of_call(f, f.row.grpc.timeout); })
        .in_short("rpc.timeout")
        .sql("rpc_timeout_ns", 47),
    text("rpc.deadline", "whether the call met the deadline that its timeout makes",
         [](const ColumnFacts& f) { return name_or_unknown(name_of(deadline_of(f.row))); })
        .one_of(names_up_to<GrpcDeadline::unknown>)
        .sql("rpc_deadline", 48),
    text("rpc.trace_context", "the place of a call's trace context",
         [](const ColumnFacts& f) {
           return is_call(f.row) ? name_or_unknown(name_of(f.row.grpc.context)) : ColumnValue{};
         })
        .one_of(names_up_to<GrpcContext::late>)
        .sql("rpc_trace_context", 49),
    text("outcome", "how it ended", [](const ColumnFacts& f) { return ColumnValue{name_of(f.row.outcome)}; })
        .one_of(names_up_to<Outcome::cancelled>)
        .sql("outcome", 18)
        .clickhouse("outcome", 15, "String")
        .log_line("outcome", 10)
        .har("_outcome", 3),
    boolean("complete", "whether both messages were seen from the first to the last byte",
            [](const ColumnFacts& f) { return ColumnValue{f.row.complete}; })
        .sql("complete", 19),
    list(
        "tainted", "why facts of it may be missing or wrong",
        [](const ColumnFacts& f) {
          return ColumnValue{
              Flags{f.row.taints, +[](std::uint32_t bits) { return names_of(static_cast<Taints>(bits)); }}};
        },
        all_taints)
        .sql("taints", 20)
        .clickhouse("taints", 17, "Array(String)"),
};

}  // namespace

std::span<const RequestColumn> message_columns() { return kMessageColumns; }

}  // namespace tailcap::model::columns
