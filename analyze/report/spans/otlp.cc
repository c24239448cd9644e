#include "analyze/report/spans/otlp.h"

#include <variant>
namespace tailcap::report {
namespace {

using model::Attributes;
using model::AttributeValue;
using model::Span;

// Bits of a span's flags beside the eight of W3C: the parent's place is known, and is another process.
constexpr std::uint32_t kHasIsRemote = 0x100, kIsRemote = 0x200;

// Numbers of 64 bits are strings in protobuf's JSON.
void quoted(JsonWriter& json, std::string_view name, std::int64_t value) { json.field(name, std::to_string(value)); }

void attribute_value(JsonWriter& json, const AttributeValue& value) {
  json.begin_object();
  if (const auto* text = std::get_if<std::string>(&value)) {
    json.field("stringValue", *text);
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    quoted(json, "intValue", *number);
  } else if (const auto* truth = std::get_if<bool>(&value)) {
    json.field("boolValue", *truth);
  } else {
    json.key("arrayValue");
    json.begin_object();
    json.key("values");
    json.begin_array();
    for (const std::string& part : std::get<std::vector<std::string>>(value)) {
      json.begin_object();
      json.field("stringValue", part);
      json.end_object();
    }
    json.end_array();
    json.end_object();
  }
  json.end_object();
}

void attributes_of(JsonWriter& json, const Attributes& attributes) {
  if (attributes.size() == 0) return;
  json.key("attributes");
  json.begin_array();
  for (const auto& a : attributes) {
    json.begin_object();
    json.field("key", a.key);
    json.key("value");
    attribute_value(json, a.value);
    json.end_object();
  }
  json.end_array();
}

void events_of(JsonWriter& json, const Span& span) {
  if (!span.events.empty()) {
    json.key("events");
    json.begin_array();
    for (const auto& event : span.events) {
      json.begin_object();
      quoted(json, "timeUnixNano", event.time);
      json.field("name", event.name);
      attributes_of(json, event.attributes);
      json.end_object();
    }
    json.end_array();
  }
  if (span.events_left_out > 0) json.field("droppedEventsCount", span.events_left_out);
}

void links_of(JsonWriter& json, const Span& span) {
  if (span.links.empty()) return;
  json.key("links");
  json.begin_array();
  for (const auto& link : span.links) {
    json.begin_object();
    json.field("traceId", model::trace_hex(link.to));
    json.field("spanId", model::hex_of(link.to.span));
    attributes_of(json, link.attributes);
    json.end_object();
  }
  json.end_array();
}

void span_of(JsonWriter& json, const Span& span) {
  json.begin_object();
  json.field("traceId", model::trace_hex(span.context));
  json.field("spanId", model::hex_of(span.context.span));
  if (!span.trace_state.empty()) json.field("traceState", span.trace_state);
  if (span.parent != 0) json.field("parentSpanId", model::hex_of(span.parent));
  json.field("flags",
             span.context.flags | (span.parent != 0 ? kHasIsRemote | (span.parent_remote ? kIsRemote : 0) : 0));
  json.field("name", span.name);
  json.field("kind", std::uint32_t{static_cast<std::uint8_t>(span.kind)});
  quoted(json, "startTimeUnixNano", span.start);
  quoted(json, "endTimeUnixNano", span.end);
  attributes_of(json, span.attributes);
  events_of(json, span);
  links_of(json, span);
  json.key("status");
  json.begin_object();
  if (span.status != model::SpanStatus::unset)
    json.field("code", std::uint32_t{static_cast<std::uint8_t>(span.status)});
  if (!span.status_message.empty()) json.field("message", span.status_message);
  json.end_object();
  json.end_object();
}

}  // namespace

OtlpText::OtlpText(std::string& out, const std::vector<std::string>& before, std::string_view version)
    : out_(out), json_(out), version_(version) {
  json_.begin_object();
  json_.key("resourceSpans");
  json_.begin_array();
  for (const std::string& raw : before) json_.raw(raw);
}

void OtlpText::add(const std::vector<model::SpanResource>& resources) {
  for (const auto& resource : resources) {
    json_.begin_object();
    json_.key("resource");
    json_.begin_object();
    attributes_of(json_, resource.attributes);
    json_.end_object();
    json_.key("scopeSpans");
    json_.begin_array();
    json_.begin_object();
    json_.key("scope");
    json_.begin_object();
    json_.field("name", "tailcap");
    json_.field("version", version_);
    json_.end_object();
    json_.key("spans");
    json_.begin_array();
    for (const Span& span : resource.spans) span_of(json_, span);
    json_.end_array();
    json_.end_object();
    json_.end_array();
    json_.end_object();
  }
}

void OtlpText::end() {
  json_.end_array();
  json_.end_object();
  out_ += '\n';
}

std::string otlp_json(const std::vector<std::string>& before, const std::vector<model::SpanResource>& resources,
                      std::string_view version) {
  std::string out;
  OtlpText text(out, before, version);
  text.add(resources);
  text.end();
  return out;
}

}  // namespace tailcap::report
