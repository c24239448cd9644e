// Sends what was exported to an HTTP endpoint.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace tailcap::exports {

// As OpenTelemetry's environment variables say it (OTEL_EXPORTER_OTLP_…): nothing secret is on a command line.
struct Endpoint {
  std::string url;                             // http://… or https://…, complete
  std::string headers;                         // "key=value,key=value", percent-encoded values; empty: none
  std::string certificate;                     // file of trusted certificates, PEM; empty: those of the system
  std::string client_certificate, client_key;  // files, PEM; empty: none
  // Status 500 is worth another try, too: ClickHouse answers so while another of its servers cannot be reached.
  bool try_errors_again = false;
  std::size_t most_answer = 64u << 10;  // bytes of an answer that are read; the rest is dropped
};
Endpoint endpoint_of_environment(std::string url);
// A ClickHouse server, http://host:8123: TAILCAP_CLICKHOUSE_USER, _PASSWORD, and the certificates of above.
Endpoint clickhouse_of_environment(std::string url);

class HttpSender {
 public:
  // Throws std::runtime_error: the URL is none of HTTP, a header is malformed.
  explicit HttpSender(const Endpoint& endpoint);
  ~HttpSender();
  // One request of these bytes, which it compresses. Repeated after a pause where the endpoint cannot be reached or
  // says 429, 502, 503 or 504, five times at most. Returns the answer's body. Throws std::runtime_error. `path` follows
  // the endpoint's URL.
  std::string post(std::string_view content, const char* content_type, std::string_view path = {});
  // As part of a URL.
  static std::string percent_encoded(std::string_view text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Spans that the endpoint did not take, and why, by an ExportTraceServiceResponse in protobuf.
struct Rejected {
  std::int64_t spans = 0;
  std::string why;
};
Rejected rejected_in(std::string_view response);

}  // namespace tailcap::exports
