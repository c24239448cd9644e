#include "analyze/report/export/jaeger.h"

#include <variant>

#include "analyze/report/json/json_writer.h"

namespace tailcap::report {
namespace {

using model::Attributes;
using model::AttributeValue;
using model::Span;
using model::SpanContext;
using model::SpanKind;
using model::SpanStatus;

// Both ends of a span are cut to whole microseconds, so that spans lie in each other as they did.
std::int64_t microseconds(std::int64_t ns) { return ns / 1000; }

void tag(JsonWriter& json, std::string_view key, const AttributeValue& value) {
  json.begin_object();
  json.field("key", key);
  if (const auto* text = std::get_if<std::string>(&value)) {
    json.field("type", "string");
    json.field("value", *text);
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    json.field("type", "int64");
    json.field("value", *number);
  } else if (const auto* truth = std::get_if<bool>(&value)) {
    json.field("type", "bool");
    json.field("value", *truth);
  } else {  // there are no lists: as Jaeger shows those of OTLP
    std::string list;
    JsonWriter inner(list);
    inner.begin_array();
    for (const std::string& part : std::get<std::vector<std::string>>(value)) inner.text(part);
    inner.end_array();
    json.field("type", "string");
    json.field("value", list);
  }
  json.end_object();
}

void tags(JsonWriter& json, const Attributes& attributes) {
  for (const auto& a : attributes) tag(json, a.key, a.value);
}

std::string_view text_of(SpanKind kind) {
  constexpr std::string_view kNames[] = {"", "internal", "server", "client", "producer", "consumer"};
  return kNames[static_cast<std::size_t>(kind)];
}

void span_tags(JsonWriter& json, const Span& span, const std::string& version) {
  json.key("tags");
  json.begin_array();
  tags(json, span.attributes);
  tag(json, "span.kind", std::string(text_of(span.kind)));
  if (span.attributes.find("tailcap.duration_ns") == nullptr) tag(json, "tailcap.duration_ns", span.end - span.start);
  if (span.status != SpanStatus::unset)
    tag(json, "otel.status_code", std::string(span.status == SpanStatus::error ? "ERROR" : "OK"));
  if (span.status == SpanStatus::error) tag(json, "error", true);
  if (!span.status_message.empty()) tag(json, "otel.status_description", span.status_message);
  if (!span.trace_state.empty()) tag(json, "w3c.tracestate", span.trace_state);
  if (span.events_left_out > 0) tag(json, "tailcap.events_left_out", std::int64_t{span.events_left_out});
  tag(json, "otel.scope.name", std::string("tailcap"));
  tag(json, "otel.scope.version", version);
  json.end_array();
}

void span_logs(JsonWriter& json, const Span& span) {
  json.key("logs");
  json.begin_array();
  for (const model::SpanEvent& event : span.events) {
    json.begin_object();
    json.field("timestamp", microseconds(event.time));
    json.key("fields");
    json.begin_array();
    tag(json, "event", event.name);
    tags(json, event.attributes);
    json.end_array();
    json.end_object();
  }
  json.end_array();
}

void reference(JsonWriter& json, const char* kind, const SpanContext& to) {
  json.begin_object();
  json.field("refType", kind);
  json.field("traceID", model::trace_hex(to));
  json.field("spanID", model::hex_of(to.span));
  json.end_object();
}

std::string span_text(const Span& span, std::size_t process, const std::string& version) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("traceID", model::trace_hex(span.context));
  json.field("spanID", model::hex_of(span.context.span));
  json.field("flags", std::uint32_t{span.context.flags});
  json.field("operationName", span.name);
  json.key("references");
  json.begin_array();
  if (span.parent != 0) {
    SpanContext parent = span.context;
    parent.span = span.parent;
    reference(json, "CHILD_OF", parent);
  }
  for (const model::SpanLink& link : span.links) reference(json, "FOLLOWS_FROM", link.to);
  json.end_array();
  json.field("startTime", microseconds(span.start));
  json.field("duration", microseconds(span.end) - microseconds(span.start));
  span_tags(json, span, version);
  span_logs(json, span);
  json.field("processID", "p" + std::to_string(process + 1));
  json.key("warnings");
  json.null();
  json.end_object();
  return out;
}

}  // namespace

std::size_t JaegerTraces::process_of(const Attributes& resource) {
  std::string text;
  JsonWriter json(text);
  json.begin_object();
  const AttributeValue* const name = resource.find("service.name");
  json.field("serviceName", name ? model::text_of(*name) : std::string("unknown"));
  json.key("tags");
  json.begin_array();
  for (const auto& a : resource)
    if (a.key != "service.name") tag(json, a.key, a.value);
  json.end_array();
  json.end_object();
  const auto [at, is_new] = numbers_.try_emplace(text, processes_.size());
  if (is_new) processes_.push_back(text);
  return at->second;
}

void JaegerTraces::add(const std::vector<model::SpanResource>& resources) {
  for (const model::SpanResource& resource : resources) {
    const std::size_t process = process_of(resource.attributes);
    for (const Span& span : resource.spans) {
      if (spans_ >= kMost) {
        ++left_out_;
        continue;
      }
      ++spans_;
      const auto [at, is_new] = places_.try_emplace({span.context.trace_high, span.context.trace_low}, traces_.size());
      if (is_new) traces_.push_back({model::trace_hex(span.context), {}, {}});
      JaegerTrace& trace = traces_[at->second];
      if (!trace.spans.empty()) trace.spans += ",";
      trace.spans += span_text(span, process, version_);
      trace.processes.insert(process);
    }
  }
}

void JaegerTraces::write(const std::function<void(std::string_view)>& sink) const {
  sink("{\"data\":[");
  for (std::size_t i = 0; i < traces_.size(); ++i) {
    const JaegerTrace& trace = traces_[i];
    std::string out = i == 0 ? "\n" : ",\n";
    out += "{\"traceID\":\"" + trace.id + "\",\"spans\":[" + trace.spans + "],\"processes\":{";
    bool first = true;
    for (const std::size_t process : trace.processes) {
      out += (first ? "\"p" : ",\"p") + std::to_string(process + 1) + "\":" + processes_[process];
      first = false;
    }
    sink(out + "},\"warnings\":null}");
  }
  sink("],\"total\":0,\"limit\":0,\"offset\":0,\"errors\":null}\n");
}

}  // namespace tailcap::report
