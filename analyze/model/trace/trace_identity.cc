#include "analyze/model/trace/trace_identity.h"

#include <cstdint>
#include <cstdio>

#include "ground/http/request_ids.h"

namespace tailcap::model {
namespace {

std::string digits(std::uint64_t n) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(n));
  return text;
}

// A client's request has the ids that tailcap-inject gives it on the wire, where its number on the connection is known.
std::uint64_t seed_of(const RequestTable& table, ExchangeId id) {
  const SocketId cookie = id.connection < table.whole_calls.size() ? table.whole_calls[id.connection] : 0;
  if (table.machine_salt != 0 && cookie != 0 && id.index < kProvisional)
    return ground::wire_seed(table.machine_salt, cookie, id.index);
  return ground::mixed(ground::mixed(ground::mixed(0x7461696c, table.salt), id.connection), id.index);
}

}  // namespace

std::uint64_t synthetic_span(const RequestTable& table, ExchangeId id, std::uint64_t what) {
  return ground::span_of(seed_of(table, id), what);
}

std::pair<std::uint64_t, std::uint64_t> synthetic_trace(const RequestTable& table, ExchangeId id) {
  const std::uint64_t seed = seed_of(table, id);
  return {ground::trace_high(seed), ground::trace_low(seed)};
}

NamedService service_of(const RequestTable& table, const Request& row, std::string_view local,
                        std::string_view remote) {
  if (row.comm != 0) return {table.texts[row.comm], "process"};
  if (row.authority != 0) return {table.texts[row.authority], row.stream != 0 ? ":authority" : "host"};
  const bool server = row.role == Role::server;
  const std::string_view address = server ? local : remote;
  if (address.empty() || address == "unknown") return {};
  return {address, server ? "listener" : "address"};
}

TraceIdentity trace_identity(const RequestTable& table, const Request& row, TextId local, TextId remote) {
  TraceIdentity out;
  const std::string_view sent = table.texts[row.traceparent], trace = trace_id_in(sent), span = span_id_in(sent);
  const bool server = row.role == Role::server;
  if (!trace.empty()) {
    out.trace_id = trace;
    out.trace_id_source = name_of(row.trace_format);
  } else {
    const auto [high, low] = synthetic_trace(table, server && row.peer.connection != 0 ? row.peer : row.id);
    out.trace_id = digits(high) + digits(low);
    out.trace_id_source = kSynthetic;
  }
  // A header names its sender's span; the server's own span is on no wire.
  if (!server && !span.empty())
    out.span_id = span, out.span_id_source = name_of(row.trace_format);
  else {
    out.span_id = digits(synthetic_span(table, row.id, ground::kRequestSpan));
    out.span_id_source = kSynthetic;
  }
  const NamedService service = service_of(table, row, local == 0 ? std::string_view() : table.texts[local],
                                          remote == 0 ? std::string_view() : table.texts[remote]);
  out.service_name = service.name;
  out.service_name_source = service.source;
  return out;
}

}  // namespace tailcap::model
