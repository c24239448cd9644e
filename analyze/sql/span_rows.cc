#include "analyze/sql/span_rows.h"

#include <string>

namespace tailcap::sql {
namespace {

void quote(std::string& out, std::string_view text) {
  constexpr char digits[] = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      (out += '\\') += c;
    } else if (byte < 0x20) {
      ((out += "\\u00") += digits[byte >> 4]) += digits[byte & 15];
    } else {
      out += c;
    }
  }
  out += '"';
}

std::string object_of(const model::Attributes& attributes) {
  std::string out = "{";
  for (const auto& a : attributes) {
    if (out.size() > 1) out += ',';
    quote(out, a.key);
    out += ':';
    quote(out, model::text_of(a.value));
  }
  return out + "}";
}

// A JSON array: put(out, thing) appends one.
template <class Things, class Put>
std::string array_of(const Things& things, Put put) {
  std::string out = "[";
  for (const auto& thing : things) {
    if (out.size() > 1) out += ',';
    put(out, thing);
  }
  return out + "]";
}

std::string_view kind_of(model::SpanKind kind) {
  constexpr std::string_view kNames[] = {"Unspecified", "Internal", "Server", "Client", "Producer", "Consumer"};
  return kNames[static_cast<std::size_t>(kind)];
}

std::string_view status_of(model::SpanStatus status) {
  return status == model::SpanStatus::error ? "Error" : status == model::SpanStatus::ok ? "Ok" : "Unset";
}

}  // namespace

void SpanRows::add(const model::Span& span, std::string_view service, std::string_view resource) {
  const auto times = array_of(span.events, [](auto& out, const auto& e) { out += std::to_string(e.time); });
  const auto names = array_of(span.events, [](auto& out, const auto& e) { quote(out, e.name); });
  const auto facts = array_of(span.events, [](auto& out, const auto& e) { out += object_of(e.attributes); });
  const auto traces = array_of(span.links, [](auto& out, const auto& l) { quote(out, model::trace_hex(l.to)); });
  const auto spans = array_of(span.links, [](auto& out, const auto& l) { quote(out, model::hex_of(l.to.span)); });
  const auto states = array_of(span.links, [](auto& out, const auto&) { quote(out, ""); });
  const auto links = array_of(span.links, [](auto& out, const auto& l) { out += object_of(l.attributes); });
  const std::string trace = model::trace_hex(span.context), own = model::hex_of(span.context.span),
                    parent = span.parent != 0 ? model::hex_of(span.parent) : "",
                    attributes = object_of(span.attributes);
  row_.integer(span.start);
  row_.text(trace);
  row_.text(own);
  row_.text(parent);
  row_.text(span.trace_state);
  row_.text(span.name);
  row_.text(kind_of(span.kind));
  row_.text(service);
  row_.text(resource);
  row_.text("tailcap");
  row_.text(version_);
  row_.text(attributes);
  row_.integer(span.end - span.start);
  row_.text(status_of(span.status));
  row_.text(span.status_message);
  for (const std::string* text : {&times, &names, &facts, &traces, &spans, &states, &links}) row_.text(*text);
  row_.end_row();
}

void SpanRows::add(std::span<const model::SpanResource> resources) {
  for (const model::SpanResource& resource : resources) {
    const std::string attributes = object_of(resource.attributes);
    const model::AttributeValue* const name = resource.attributes.find("service.name");
    const std::string service = name ? model::text_of(*name) : "";
    for (const model::Span& span : resource.spans) add(span, service, attributes);
  }
}

}  // namespace tailcap::sql
