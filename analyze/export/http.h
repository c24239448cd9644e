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
};
Endpoint endpoint_of_environment(std::string url);

class HttpSender {
 public:
  // Throws std::runtime_error: the URL is none of HTTP, a header is malformed.
  explicit HttpSender(const Endpoint& endpoint);
  ~HttpSender();
  // One request of these bytes, which it compresses. Repeated after a pause where the endpoint cannot be reached or
  // says 429, 502, 503 or 504, five times at most. Returns the answer's body. Throws std::runtime_error.
  std::string post(std::string_view content, const char* content_type);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// Of an ExportTraceServiceResponse in protobuf: spans that the endpoint did not take, and why.
struct Rejected {
  std::int64_t spans = 0;
  std::string why;
};
Rejected rejected_in(std::string_view response);

}  // namespace tailcap::exports
