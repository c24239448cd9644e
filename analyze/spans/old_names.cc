#include "analyze/spans/old_names.h"

#include <string>
#include <string_view>
#include <utility>

namespace tailcap::spans {
namespace {

struct Renamed {
  std::string_view now, server, client;  // before, at either end
};
constexpr Renamed kRenamed[] = {
    {"http.request.method", "http.method", "http.method"},
    {"http.response.status_code", "http.status_code", "http.status_code"},
    {"http.request.body.size", "http.request_content_length", "http.request_content_length"},
    {"http.response.body.size", "http.response_content_length", "http.response_content_length"},
    {"url.scheme", "http.scheme", "http.scheme"},
    {"url.full", "http.url", "http.url"},
    {"server.address", "net.host.name", "net.peer.name"},
    {"server.port", "net.host.port", "net.peer.port"},
    {"client.address", "http.client_ip", "http.client_ip"},
    {"network.peer.address", "net.sock.peer.addr", "net.sock.peer.addr"},
    {"network.peer.port", "net.sock.peer.port", "net.sock.peer.port"},
    {"network.local.address", "net.sock.host.addr", "net.sock.host.addr"},
    {"network.local.port", "net.sock.host.port", "net.sock.host.port"},
    {"network.protocol.name", "net.protocol.name", "net.protocol.name"},
    {"network.protocol.version", "net.protocol.version", "net.protocol.version"},
};

}  // namespace

void use_old_names(model::Span& span) {
  const bool is_server = span.kind == model::SpanKind::server || span.kind == model::SpanKind::consumer;
  model::Attributes out;
  const auto* path = span.attributes.find("url.path");
  const auto* query = span.attributes.find("url.query");
  for (const auto& a : span.attributes) {
    std::string_view key = a.key;
    if (key == "url.query") continue;
    if (key == "url.path") {
      out.set("http.target", model::text_of(*path) + (query ? "?" + model::text_of(*query) : std::string()));
      continue;
    }
    for (const Renamed& r : kRenamed)
      if (key == r.now) key = is_server ? r.server : r.client;
    out.set(key, model::AttributeValue(a.value));
  }
  span.attributes = std::move(out);
}

}  // namespace tailcap::spans
