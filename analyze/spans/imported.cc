#include "analyze/spans/imported.h"

#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "formats/printable.h"

namespace tailcap::spans {
namespace {

using Json = nlohmann::ordered_json;

[[noreturn]] void refuse(const std::string& name, const std::string& why) {
  throw std::runtime_error("cannot import " + formats::printable(name) + ": " + why +
                           ". It must be OTLP in JSON, one ExportTraceServiceRequest or one per line, as the "
                           "OpenTelemetry Collector's file exporter writes it.");
}

struct TooDeep {};

// Values nest at most kMaxDepth deep: printing them recurses.
Json parse(std::string_view text) {
  return Json::parse(text.begin(), text.end(), [](int depth, Json::parse_event_t, Json&) {
    if (depth > static_cast<int>(Imported::kMaxDepth)) throw TooDeep{};
    return true;
  });
}

std::string_view text_in(const Json& object, const char* key) {
  const auto at = object.find(key);
  return at != object.end() && at->is_string() ? std::string_view(at->get_ref<const std::string&>())
                                               : std::string_view{};
}

// A number or its name.
bool is_kind(const Json& span, int number, std::string_view name) {
  const auto at = span.find("kind");
  if (at == span.end()) return false;
  return at->is_number_integer() ? at->get<std::int64_t>() == number
                                 : at->is_string() && at->get_ref<const std::string&>() == name;
}

void read_span(const Json& span, Imported& out) {
  ForeignSpan one;
  const auto id = model::id_of_hex(text_in(span, "spanId"));
  if (!id || !model::set_trace(one.context, text_in(span, "traceId"))) {
    ++out.without_ids;
    return;
  }
  one.context.span = *id;
  one.parent = model::id_of_hex(text_in(span, "parentSpanId")).value_or(0);
  one.server = is_kind(span, 2, "SPAN_KIND_SERVER");
  one.client = is_kind(span, 3, "SPAN_KIND_CLIENT");
  out.spans.push_back(one);
}

// Member `key` of an object, which is an array of objects; empty where it is not there.
const Json& list_in(const Json& object, const char* key, const std::string& name, const std::string& where) {
  static const Json kEmpty = Json::array();
  const auto at = object.find(key);
  if (at == object.end()) return kEmpty;
  if (!at->is_array()) refuse(name, where + key + " is no array");
  for (const Json& member : *at)
    if (!member.is_object()) refuse(name, where + key + " holds something that is no object");
  return *at;
}

void read_request(const Json& request, Imported& out, const std::string& name, const std::string& where) {
  if (!request.is_object() || !request.contains("resourceSpans")) refuse(name, where + "there is no resourceSpans");
  for (const Json& resource : list_in(request, "resourceSpans", name, where)) {
    for (const Json& scope : list_in(resource, "scopeSpans", name, where))
      for (const Json& span : list_in(scope, "spans", name, where)) {
        if (out.spans.size() + out.without_ids >= Imported::kMaxSpans)
          refuse(name, "more than " + std::to_string(Imported::kMaxSpans) + " spans");
        read_span(span, out);
      }
    out.resource_spans.push_back(
        formats::printable_json(resource.dump(-1, ' ', false, Json::error_handler_t::replace)));
  }
}

}  // namespace

Imported imported_of(std::string_view text, const std::string& name) {
  Imported out;
  if (text.size() > Imported::kMaxBytes)
    refuse(name, "it has more than " + std::to_string(Imported::kMaxBytes >> 20) + " MiB");
  std::optional<std::string> failed;
  const auto read = [&](std::string_view part, const std::string& where) {
    try {
      read_request(parse(part), out, name, where);
      return true;
    } catch (const Json::exception& e) {
      const std::string_view what = e.what();
      const auto words = what.find("] ");
      failed = where + "no JSON: " + std::string(words == what.npos ? what : what.substr(words + 2)).substr(0, 200);
    } catch (const TooDeep&) {
      failed = where + "values nest more than " + std::to_string(Imported::kMaxDepth) + " deep";
    }
    return false;
  };
  const auto first_line = text.substr(0, text.find('\n'));
  const bool lines = first_line.size() < text.size() &&
                     text.find_first_not_of(" \t\r\n", first_line.size()) != text.npos && Json::accept(first_line);
  if (!lines) {
    if (!read(text, "")) refuse(name, *failed);
    return out;
  }
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view line = text.substr(at, text.find('\n', at) - at);
    at += line.size() + 1;
    ++number;
    if (line.find_first_not_of(" \t\r") == line.npos) continue;
    if (!read(line, "line " + std::to_string(number) + ": ")) refuse(name, *failed);
  }
  return out;
}

}  // namespace tailcap::spans
