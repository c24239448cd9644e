#include "analyze/export/http.h"

#include <cstdlib>
#include <protozero/pbf_reader.hpp>

namespace tailcap::exports {
namespace {

std::string variable(const char* name) {
  const char* const value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

Endpoint endpoint_of_environment(std::string url) {
  return {std::move(url), variable("OTEL_EXPORTER_OTLP_HEADERS"), variable("OTEL_EXPORTER_OTLP_CERTIFICATE"),
          variable("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"), variable("OTEL_EXPORTER_OTLP_CLIENT_KEY")};
}

Endpoint clickhouse_of_environment(std::string url) {
  Endpoint out = endpoint_of_environment(std::move(url));
  while (out.url.ends_with('/')) out.url.pop_back();
  out.headers.clear();
  for (const auto& [header, name] : {std::pair{"X-ClickHouse-User", "TAILCAP_CLICKHOUSE_USER"},
                                     std::pair{"X-ClickHouse-Key", "TAILCAP_CLICKHOUSE_PASSWORD"}})
    if (const std::string value = variable(name); !value.empty())
      out.headers += (out.headers.empty() ? "" : ",") + std::string(header) + "=" + HttpSender::percent_encoded(value);
  out.try_errors_again = true;
  out.most_answer = 256u << 20;
  return out;
}

std::string HttpSender::percent_encoded(std::string_view text) {
  constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.')
      out += c;
    else
      (out += '%', out += kDigits[byte >> 4], out += kDigits[byte & 15]);
  }
  return out;
}

Rejected rejected_in(std::string_view response) {
  constexpr int kPartialSuccess = 1, kSpans = 1, kMessage = 2;
  Rejected out;
  try {
    protozero::pbf_reader reader(response.data(), response.size());
    while (reader.next(kPartialSuccess)) {
      protozero::pbf_reader part = reader.get_message();
      while (part.next()) {
        if (part.tag() == kSpans)
          out.spans = part.get_int64();
        else if (part.tag() == kMessage)
          out.why = part.get_string();
        else
          part.skip();
      }
    }
  } catch (const protozero::exception&) {
    return {};  // not what an endpoint of OTLP answers; its status said that all were taken
  }
  return out;
}

}  // namespace tailcap::exports
