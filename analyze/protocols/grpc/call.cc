#include "analyze/protocols/grpc/call.h"

#include "analyze/model/wire/trace_context.h"
#include "ground/http/http_text.h"

namespace tailcap::protocols::grpc {
namespace {

constexpr std::string_view kContentType = "application/grpc";

using ground::lower;

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = lower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Digits only, at most `most` of them.
std::optional<std::int64_t> number(std::string_view text, std::size_t most) {
  if (text.empty() || text.size() > most) return std::nullopt;
  std::int64_t n = 0;
  for (const char c : text) {
    if (c < '0' || c > '9') return std::nullopt;
    n = n * 10 + (c - '0');
  }
  return n;
}

// `name` and nothing, a +codec or a ;parameter.
bool is_type(std::string_view type, std::string_view name) {
  if (type.size() < name.size()) return false;
  for (std::size_t i = 0; i < name.size(); ++i)
    if (lower(type[i]) != name[i]) return false;
  const std::string_view rest = type.substr(name.size());
  return rest.empty() || rest[0] == '+' || rest[0] == ';' || rest[0] == ' ';
}

}  // namespace

bool is_grpc(std::string_view type) { return is_type(type, kContentType); }

Web web_kind(std::string_view type) {
  return is_type(type, "application/grpc-web")        ? Web::binary
         : is_type(type, "application/grpc-web-text") ? Web::text
                                                      : Web::no;
}

void read_request(const model::Message& m, model::GrpcFacts& facts) {
  if (const auto timeout = m.headers.find("grpc-timeout")) facts.timeout = parse_timeout(*timeout);
  if (model::trace_context(m.headers).present)
    facts.context = model::GrpcContext::head;
  else if (!m.headers_complete)
    facts.context = model::GrpcContext::unknown;
  else
    facts.context = model::trace_context(m.trailers).present ? model::GrpcContext::late : model::GrpcContext::absent;
}

void read_status(const model::Headers& from, model::GrpcFacts& facts) {
  if (const auto status = from.find("grpc-status")) facts.status = parse_status(*status);
  if (const auto text = from.find("grpc-message")) facts.message = percent_decode(*text);
}

std::optional<model::Duration> parse_timeout(std::string_view text) {
  if (text.empty()) return std::nullopt;
  const auto n = number(text.substr(0, text.size() - 1), 8);
  if (!n) return std::nullopt;
  using namespace std::chrono;
  // Eight digits of hours are more than a Duration holds; what is longer than any capture is as good as its limit.
  constexpr model::Duration kLongest = formats::kMaxTime.time_since_epoch();
  switch (text.back()) {
    case 'H':
      return hours(*n) < duration_cast<hours>(kLongest) ? model::Duration(hours(*n)) : kLongest;
    case 'M':
      return minutes(*n) < duration_cast<minutes>(kLongest) ? model::Duration(minutes(*n)) : kLongest;
    case 'S':
      return seconds(*n);
    case 'm':
      return milliseconds(*n);
    case 'u':
      return microseconds(*n);
    case 'n':
      return nanoseconds(*n);
  }
  return std::nullopt;
}

std::optional<int> parse_status(std::string_view text) {
  const auto n = number(text, 9);
  return n ? std::optional(static_cast<int>(*n)) : std::nullopt;
}

std::string percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size()) {
      const int high = hex(text[i + 1]), low = hex(text[i + 2]);
      if (high >= 0 && low >= 0) {
        out.push_back(static_cast<char>(high << 4 | low));
        i += 2;
        continue;
      }
    }
    out.push_back(text[i]);
  }
  return out;
}

}  // namespace tailcap::protocols::grpc
