#include "analyze/spans/describe.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "analyze/model/columns/store_names.h"
#include "formats/machine.h"

namespace tailcap::spans {
namespace {

using model::AttributeValue;
using model::Outcome;
using model::Request;
using model::Role;
using model::Span;

AttributeValue number(std::int64_t n) { return n; }

// RFC 9110's and PATCH: others would make as many names as somebody likes to send.
bool is_method(std::string_view method) {
  constexpr std::array<std::string_view, 9> kMethods = {"GET",     "HEAD",    "POST",  "PUT",  "DELETE",
                                                        "CONNECT", "OPTIONS", "TRACE", "PATCH"};
  return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

void addresses(const model::RequestTable& table, const Request& row, const EndpointTexts& ends, Span& span) {
  auto& a = span.attributes;
  const bool server = row.role == Role::server;
  const HostPort named = host_port(table.texts[row.authority]), local = host_port(ends.local),
                 remote = host_port(ends.remote);
  const HostPort& serving = server ? local : remote;
  a.set_known("server.address", !named.host.empty() ? named.host : serving.host);
  if (const int port = named.port >= 0 ? named.port : serving.port; port >= 0) a.set("server.port", number(port));
  if (server) {
    a.set_known("client.address", remote.is_unix ? std::string_view{} : remote.host);
    if (remote.port >= 0) a.set("client.port", number(remote.port));
  }
  a.set_known("network.peer.address", remote.host);
  if (remote.port >= 0) a.set("network.peer.port", number(remote.port));
  a.set_known("network.local.address", local.host);
  if (local.port >= 0) a.set("network.local.port", number(local.port));
  if (!ends.local.empty() || !ends.remote.empty())
    a.set("network.transport", local.is_unix || remote.is_unix ? "unix" : "tcp");
}

void http(const model::RequestTable& table, const Request& row, Span& span) {
  auto& a = span.attributes;
  const std::string_view method = table.texts[row.method], target = table.texts[row.path],
                         authority = table.texts[row.authority];
  if (!method.empty()) {
    a.set("http.request.method", is_method(method) ? method : "_OTHER");
    if (!is_method(method)) a.set("http.request.method_original", method);
  }
  const std::string_view scheme = row.tls ? "https" : "http";
  a.set("url.scheme", scheme);
  if (row.path != 0) {
    const auto query = target.find('?');
    a.set("url.path", target.substr(0, query));
    if (query != target.npos) a.set("url.query", target.substr(query + 1));
    if (row.role == Role::client && !authority.empty() && target.starts_with('/'))
      a.set("url.full", std::string(scheme) + "://" + std::string(authority) + std::string(target));
  }
  if (row.status != 0) a.set("http.response.status_code", number(row.status));
  if (row.request_bytes >= 0) a.set("http.request.body.size", number(row.request_bytes));
  if (row.response_bytes >= 0) a.set("http.response.body.size", number(row.response_bytes));
  // Our own guess at what the program calls a route, so not http.route.
  a.set_known("tailcap.route", table.texts[row.route]);
}

void rpc(const model::RequestTable& table, const Request& row, Span& span) {
  auto& a = span.attributes;
  a.set("rpc.system", "grpc");
  if (const auto name = model::rpc_name(table.texts[row.path])) {
    a.set("rpc.service", name->service);
    a.set("rpc.method", name->method);
    span.name = std::string(name->service) + "/" + std::string(name->method);
  }
  if (row.grpc_status >= 0) a.set("rpc.grpc.status_code", number(row.grpc_status));
}

// The stable conventions of OpenTelemetry for calls of databases.
void store(const model::RequestTable& table, const Request& row, Span& span) {
  auto& a = span.attributes;
  const std::string_view operation = table.texts[row.method], path = table.texts[row.path];
  const std::string resource = model::resource_of(row.protocol, operation, path);
  a.set("db.system.name", std::string(model::name_of(row.protocol)));
  a.set_known("db.operation.name", operation);
  a.set_known("db.query.text", model::statement_of(row.protocol, operation, path));
  if (has_statements(row.protocol)) a.set_known("db.collection.name", resource);
  a.set_known("db.response.status_code", table.texts[row.store.error_code]);
  if (row.store.rows >= 0 && operation == "SELECT") a.set("db.response.returned_rows", number(row.store.rows));
  span.name = operation.empty() ? std::string(model::name_of(row.protocol)) : std::string(operation);
  if (!resource.empty()) span.name += " " + resource;
}

// A message that is handed on: by its producer, or to its consumer.
model::SpanKind kind_of(const model::RequestTable& table, const Request& row) {
  const bool server = row.role == Role::server;
  if (is_messaging(row.protocol)) {
    const std::string_view operation = table.texts[row.method];
    if (!server && (operation == "PUBLISH" || operation == "PRODUCE")) return model::SpanKind::producer;
    if (server && operation == "DELIVER") return model::SpanKind::consumer;
  }
  return server ? model::SpanKind::server : model::SpanKind::client;
}

// A connect or a handshake that failed.
void setup(const model::RequestTable& table, const Request& row, Span& span) {
  span.name = std::string(table.texts[row.method]) + " " + std::string(table.texts[row.path]);
}

// The conventions of OpenTelemetry for messaging.
void messaging(const model::RequestTable& table, const Request& row, Span& span) {
  auto& a = span.attributes;
  const std::string_view operation = table.texts[row.method], destination = table.texts[row.path];
  a.set("messaging.system",
        std::string(row.protocol == model::Protocol::amqp ? "rabbitmq" : model::name_of(row.protocol)));
  a.set_known("messaging.operation.name", operation);
  const std::string_view type = span.kind == model::SpanKind::producer       ? "send"
                                : span.kind == model::SpanKind::consumer     ? "process"
                                : operation == "FETCH" || operation == "GET" ? "receive"
                                                                             : "";
  a.set_known("messaging.operation.type", type);
  a.set_known("messaging.destination.name", destination);
  span.name = operation.empty() ? std::string(model::name_of(row.protocol)) : std::string(operation);
  if (!destination.empty()) span.name += " " + std::string(destination);
}

std::string_view version_of(model::Protocol protocol) {
  switch (protocol) {
    case model::Protocol::http10:
      return "1.0";
    case model::Protocol::http11:
      return "1.1";
    case model::Protocol::http2:
    case model::Protocol::grpc:
      return "2";
    default:
      break;
  }
  return {};
}

// Codes of gRPC that are the server's fault; to a client every one but OK is an error.
bool is_server_error(int status) {
  constexpr std::array<int, 6> kErrors = {2, 4, 12, 13, 14, 15};
  return std::find(kErrors.begin(), kErrors.end(), status) != kErrors.end();
}

void status(const model::RequestTable& table, const Request& row, Span& span) {
  const bool client = row.role == Role::client, call = model::is_call(row);
  std::string error;
  if (row.outcome >= Outcome::truncated && row.outcome != Outcome::in_flight && row.outcome != Outcome::unknown)
    error = row.store.error_code != 0 ? table.texts[row.store.error_code] : model::name_of(row.outcome);
  else if (call && row.grpc_status >= 0)
    error = (client ? row.grpc_status > 0 : is_server_error(row.grpc_status))
                ? std::string(model::grpc_status_name(row.grpc_status))
                : "";
  else if (is_store(row.protocol) && (row.outcome == Outcome::server_error || row.outcome == Outcome::client_error))
    error = row.store.error_code == 0 ? "error" : std::string(table.texts[row.store.error_code]);
  else if (row.status >= (client ? 400 : 500))
    error = std::to_string(row.status);
  if (error.empty()) return;
  span.status = model::SpanStatus::error;
  span.attributes.set("error.type", error);
  if (call) span.status_message = table.texts[row.grpc.message];
}

// Where the time went, by label; measured, inferred and sampled apart.
void labels(const model::RequestTable& table, const Request& row, Span& span) {
  for (const model::AccountPart& part : table.partitions.parts(row.id)) {
    std::string key = "tailcap.time.";
    if (part.evidence != model::Evidence::measured) key += std::string(model::name_of(part.evidence)) + ".";
    key += model::name_of(part.label);
    const AttributeValue* before = span.attributes.find(key);
    span.attributes.set(key, number(part.time + (before ? std::get<std::int64_t>(*before) : 0)));
  }
}

}  // namespace

void describe(const model::RequestTable& table, const Request& row, const EndpointTexts& ends, Span& span) {
  auto& a = span.attributes;
  span.kind = kind_of(table, row);
  const std::string_view method = table.texts[row.method], route = table.texts[row.route];
  span.name = method.empty() ? "HTTP" : is_method(method) ? std::string(method) : "HTTP";
  if (!route.empty()) span.name += " " + std::string(route);
  if (is_setup(row.protocol))
    setup(table, row, span);
  else if (is_messaging(row.protocol))
    messaging(table, row, span);
  else if (is_store(row.protocol))
    store(table, row, span);
  else if (model::is_call(row))
    rpc(table, row, span);
  else
    http(table, row, span);
  addresses(table, row, ends, span);
  if (const auto version = version_of(row.protocol); !version.empty()) {
    a.set("network.protocol.name", "http");
    a.set("network.protocol.version", version);
  }
  if (row.tid != 0) a.set("thread.id", number(formats::number_of(row.tid)));
  a.set_known("code.function.name", table.texts[table.handlers.find(row.id)]);
  a.set("tailcap.request", std::to_string(row.id.connection) + "." + std::to_string(row.id.index));
  if (row.taints != 0) {
    std::vector<std::string> names;
    for (const auto name : model::names_of(row.taints)) names.emplace_back(name);
    a.set("tailcap.tainted", std::move(names));
  }
  if (row.attempt > 1) a.set("http.request.resend_count", number(row.attempt - 1));
  status(table, row, span);
  labels(table, row, span);
}

}  // namespace tailcap::spans
