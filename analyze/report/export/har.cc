#include "analyze/report/export/har.h"

#include <array>
#include <chrono>
#include <cstdio>

#include "analyze/report/json/column_json.h"
#include "analyze/report/words/words.h"

namespace tailcap::report {
namespace {

using model::Request;

// "2026-03-01T12:34:56.789012Z".
std::string iso_text(std::int64_t ns) {
  using namespace std::chrono;
  const sys_time<nanoseconds> at{nanoseconds{ns}};
  const auto day = floor<days>(at);
  const year_month_day date{day};
  const hh_mm_ss time{floor<microseconds>(at - day)};
  char text[64];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02d.%06dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return text;
}

double milliseconds(std::int64_t ns) { return static_cast<double>(ns) / 1e6; }

const char* version_of(model::Protocol protocol) {
  switch (protocol) {
    case model::Protocol::http10:
      return "HTTP/1.0";
    case model::Protocol::http2:
    case model::Protocol::grpc:
      return "HTTP/2";
    default:
      return "HTTP/1.1";
  }
}

void put_headers(JsonWriter& json, const model::Headers* headers) {
  json.key("cookies");  // their names and values are masked, and stay among the headers
  json.begin_array();
  json.end_array();
  json.key("headers");
  json.begin_array();
  for (std::size_t i = 0; headers && i < headers->size(); ++i) {
    json.begin_object();
    json.field("name", (*headers)[i].name);
    json.field("value", (*headers)[i].value);
    json.end_object();
  }
  json.end_array();
}

std::string_view value_of(const model::Headers* headers, std::string_view name) {
  const auto value = headers ? headers->find(name) : std::nullopt;
  return value.value_or(std::string_view{});
}

void put_query(JsonWriter& json, std::string_view target) {
  json.key("queryString");
  json.begin_array();
  const auto at = target.find('?');
  std::string_view rest = at == target.npos ? std::string_view{} : target.substr(at + 1);
  rest = rest.substr(0, rest.find('#'));
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const auto sign = pair.find('=');
    json.begin_object();
    json.field("name", pair.substr(0, sign));
    json.field("value", sign == pair.npos ? std::string_view{} : pair.substr(sign + 1));
    json.end_object();
  }
  json.end_array();
}

std::string url_of(const model::RequestTable& table, const Request& row) {
  const std::string_view target = table.texts[row.path];
  if (!target.starts_with('/')) return std::string(target);  // as it was sent to a proxy: absolute
  return std::string(row.tls ? "https://" : "http://") + std::string(table.texts[row.authority]) + std::string(target);
}

void put_request(JsonWriter& json, const HarEntry& e) {
  json.key("request");
  json.begin_object();
  json.field("method", e.facts.table.texts[e.facts.row.method]);
  json.field("url", url_of(e.facts.table, e.facts.row));
  json.field("httpVersion", version_of(e.facts.row.protocol));
  put_headers(json, e.request);
  put_query(json, e.facts.table.texts[e.facts.row.path]);
  json.field("headersSize", std::int64_t{-1});
  json.field("bodySize", std::int64_t{e.facts.row.request_bytes});
  json.end_object();
}

void put_response(JsonWriter& json, const HarEntry& e) {
  json.key("response");
  json.begin_object();
  json.field("status", std::int64_t{e.facts.row.status});
  json.field("statusText", "");
  json.field("httpVersion", version_of(e.facts.row.protocol));
  put_headers(json, e.response);
  json.key("content");
  json.begin_object();
  json.field("size", std::int64_t{e.facts.row.response_bytes});
  json.field("mimeType", value_of(e.response, "content-type"));
  json.field("comment", "bodies are not recorded");
  json.end_object();
  json.field("redirectURL", value_of(e.response, "location"));
  json.field("headersSize", std::int64_t{-1});
  json.field("bodySize", std::int64_t{e.facts.row.response_bytes});
  json.end_object();
}

// Sending, waiting and receiving as the recorded end saw them; they sum to the duration.
std::array<std::int64_t, 3> timings_of(const Request& row) {
  if (!row.has_phases) return {0, row.duration.count(), 0};
  const auto& p = row.phases;
  if (row.role == model::Role::server) return {p[0] + p[1], p[2] + p[3] + p[4], p[5]};
  return {p[0] + p[1], p[2] + p[3], p[4] + p[5]};
}

void put_timings(JsonWriter& json, const Request& row) {
  const auto [send, wait, receive] = timings_of(row);
  json.key("timings");
  json.begin_object();
  for (const auto& [name, ns] : {std::pair{"send", send}, {"wait", wait}, {"receive", receive}}) {
    json.key(name);
    json.real(milliseconds(ns));
  }
  if (!row.has_phases) json.field("comment", "the phases are not known: all of the time is under wait");
  json.end_object();
}

// Without the port; empty for UNIX sockets.
std::string_view host_of(std::string_view endpoint) {
  if (endpoint.starts_with("unix:") || endpoint == "unknown") return {};
  std::string_view host = endpoint.substr(0, endpoint.rfind(':'));
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  return host;
}

}  // namespace

bool fits_har(const model::RequestTable& table, const Request& row) {
  const std::string_view target = table.texts[row.path];
  return !has_operation(row.protocol) && row.method != 0 && row.path != 0 && row.has_duration &&
         formats::known(row.start) && (!target.starts_with('/') || row.authority != 0);
}

Har::Har(std::string& out, std::string_view version) : out_(out), json_(out) {
  json_.begin_object();
  json_.key("log");
  json_.begin_object();
  json_.field("version", "1.2");
  json_.key("creator");
  json_.begin_object();
  json_.field("name", "tailcap");
  json_.field("version", version);
  json_.end_object();
  json_.key("entries");
  json_.begin_array();
}

void Har::add(const HarEntry& e) {
  json_.begin_object();
  json_.field("startedDateTime", iso_text(e.start));
  json_.key("time");
  json_.real(milliseconds(e.facts.row.duration.count()));
  put_request(json_, e);
  put_response(json_, e);
  json_.key("cache");
  json_.begin_object();
  json_.end_object();
  put_timings(json_, e.facts.row);
  if (const auto host = host_of(e.server); !host.empty()) json_.field("serverIPAddress", host);
  json_.field("connection", std::to_string(e.facts.row.id.connection));
  // Fields of our own begin with an underscore.
  for (const model::columns::RequestColumn* const column : model::columns::on(model::columns::Surface::har))
    append_column(json_, *column, e.facts, column->on(model::columns::Surface::har).name);
  json_.end_object();
}

void Har::end() {
  json_.end_array();
  json_.end_object();
  json_.end_object();
  out_ += '\n';
}

}  // namespace tailcap::report
