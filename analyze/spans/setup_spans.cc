#include "analyze/spans/setup_spans.h"

#include <cstdio>
#include <string>
#include <utility>

#include "analyze/model/trace/trace_identity.h"
#include "analyze/model/wire/tls.h"

namespace tailcap::spans {
namespace {

using formats::Time;
using model::Span;

// Numbers that tell made-up span ids of one request apart; 3 is the request itself.
enum : std::uint64_t { kDns = 4, kConnect = 5, kTls = 6 };

struct Part {
  std::uint64_t number;
  const char* kind;
  Time began, done;
  std::vector<std::string> evidence;
};

Span span_of(const model::RequestTable& table, const model::Request& row, const model::SpanContext& parent,
             const Clocked& clock, Part part) {
  Span span;
  span.context = parent;
  span.context.span = model::synthetic_span(table, row.id, part.number);
  span.parent = parent.span;
  span.start = clock.unix_time(part.began);
  span.end = clock.unix_time(part.done);
  span.attributes.set("tailcap.inferred", true);
  span.attributes.set("tailcap.setup", part.kind);
  span.attributes.set("tailcap.evidence", std::move(part.evidence));
  span.attributes.set("tailcap.request", std::to_string(row.id.connection) + "." + std::to_string(row.id.index));
  span.attributes.set("tailcap.span_id_source", model::kSynthetic);
  return span;
}

}  // namespace

std::string Clocked::since_start(Time t) const {
  const std::int64_t ns = (t - first).count();
  const auto u = static_cast<unsigned long long>(ns < 0 ? -ns : ns);
  char text[48];
  std::snprintf(text, sizeof text, "%c%llu.%09llu s", ns < 0 ? '-' : '+', u / 1'000'000'000, u % 1'000'000'000);
  return text;
}

void add_setup(const model::RequestTable& table, const model::Request& row, const EndpointTexts& ends,
               const model::SpanContext& parent, const Clocked& clock, std::vector<Span>& out) {
  const model::Setup* setup = table.setups.find(row.id);
  if (!setup) return;
  const std::string socket = ends.socket != 0 ? " of socket " + std::to_string(ends.socket) : "";
  const HostPort remote = host_port(ends.remote);
  if (setup->dns().count() >= 0) {
    const std::string_view name = table.texts[setup->dns_name];
    Span span = span_of(table, row, parent, clock,
                        {kDns,
                         "dns",
                         setup->dns_began,
                         setup->dns_done,
                         {"first question sent at " + clock.since_start(setup->dns_began),
                          "last answer read at " + clock.since_start(setup->dns_done)}});
    span.name = "DNS " + std::string(name);
    span.attributes.set_known("dns.question.name", name);
    if (setup->dns_attempts > 1) span.attributes.set("tailcap.dns.attempts", std::int64_t{setup->dns_attempts});
    out.push_back(std::move(span));
  }
  if (setup->connect().count() >= 0) {
    Span span = span_of(table, row, parent, clock,
                        {kConnect,
                         "connect",
                         setup->connect_began,
                         setup->connect_done,
                         {"state_change to syn_sent" + socket + " at " + clock.since_start(setup->connect_began),
                          "state_change to established" + socket + " at " + clock.since_start(setup->connect_done)}});
    span.name = "TCP connect";
    span.attributes.set("network.transport", "tcp");
    span.attributes.set_known("network.peer.address", remote.host);
    if (remote.port >= 0) span.attributes.set("network.peer.port", std::int64_t{remote.port});
    out.push_back(std::move(span));
  }
  if (setup->tls().count() >= 0) {
    Span span = span_of(table, row, parent, clock,
                        {kTls,
                         "tls",
                         setup->tls_began,
                         setup->tls_done,
                         {"ClientHello" + socket + " at " + clock.since_start(setup->tls_began),
                          (setup->tls_exact ? "Finished" : "first encrypted record, which may be Finished,") + socket +
                              " at " + clock.since_start(setup->tls_done)}});
    span.name = "TLS handshake";
    span.attributes.set("tls.protocol.name", "tls");
    const std::string version = model::tls_version(setup->tls_version);
    span.attributes.set_known("tls.protocol.version", version.starts_with("TLS ") ? version.substr(4) : version);
    span.attributes.set_known("tls.cipher", model::tls_cipher(setup->tls_cipher));
    span.attributes.set_known("tls.client.server_name", table.texts[setup->tls_server_name]);
    if (setup->tls_resumed) span.attributes.set("tls.resumed", *setup->tls_resumed);
    out.push_back(std::move(span));
  }
}

}  // namespace tailcap::spans
