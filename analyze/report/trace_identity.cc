#include "analyze/report/trace_identity.h"

#include <cstdint>
#include <cstdio>

namespace tailcap::report {
namespace {

std::uint64_t mixed(std::uint64_t h, std::uint64_t x) {
  h = (h ^ x) * 0x9e3779b97f4a7c15u;
  h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93u;
  return h ^ (h >> 29);
}

// Never all zero, which is no id.
std::string digits(std::uint64_t n) {
  char text[17];
  std::snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(n | 1));
  return text;
}

std::uint64_t seed_of(flow::ExchangeId id, const flow::WallClock& clock) {
  const auto salt = static_cast<std::uint64_t>(clock.realtime(formats::time_from(1)));
  return mixed(mixed(mixed(0x7461696c, salt), id.connection), id.index);
}

}  // namespace

TraceIdentity trace_identity(const flow::RequestTable& table, const flow::Request& row, const flow::WallClock& clock, flow::TextId local, flow::TextId remote) {
  TraceIdentity out;
  const std::string_view sent = table.texts[row.traceparent], trace = flow::trace_id_in(sent), span = flow::span_id_in(sent);
  const bool server = row.role == flow::Role::server;
  if (!trace.empty()) {
    out.trace_id = trace, out.trace_id_source = flow::name_of(row.trace_format);
  } else {
    const std::uint64_t seed = seed_of(server && row.peer.connection != 0 ? row.peer : row.id, clock);
    out.trace_id = digits(mixed(seed, 1)) + digits(mixed(seed, 2)), out.trace_id_source = kSynthetic;
  }
  // What a header names is its sender's span: the server's own is on no wire.
  if (!server && !span.empty()) out.span_id = span, out.span_id_source = flow::name_of(row.trace_format);
  else out.span_id = digits(mixed(seed_of(row.id, clock), 3)), out.span_id_source = kSynthetic;
  const auto name = [&](flow::TextId text, std::string_view source) {
    if (text == 0 || !out.service_name.empty()) return;
    out.service_name = table.texts[text], out.service_name_source = source;
  };
  name(row.authority, row.stream != 0 ? ":authority" : "host");
  if (server) name(row.comm, "process"), name(local, "listener");
  else name(remote, "address");
  if (out.service_name.empty()) out.service_name = "unknown", out.service_name_source = "unknown";
  return out;
}

}  // namespace tailcap::report
