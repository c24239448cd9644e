#include "analyze/export/otlp.h"

#include <protozero/pbf_writer.hpp>

#include "formats/utf8.h"

namespace tailcap::exports {
namespace {

using model::Attributes;
using model::AttributeValue;
using model::Span;
using protozero::pbf_writer;

// Field numbers of opentelemetry-proto 1.x (trace/v1, common/v1, resource/v1); tests/cli/otlp.proto has them again.
namespace field {
constexpr int kResourceSpans = 1;
constexpr int kResource = 1, kScopeSpans = 2;
constexpr int kScope = 1, kSpans = 2, kScopeName = 1, kScopeVersion = 2;
constexpr int kAttributes = 1;  // of Resource
constexpr int kKey = 1, kValue = 2, kText = 1, kBool = 2, kInt = 3, kArray = 5, kValues = 1;
constexpr int kTraceId = 1, kSpanId = 2, kTraceState = 3, kParent = 4, kName = 5, kKind = 6, kStart = 7, kEnd = 8,
              kSpanAttributes = 9, kEvents = 11, kEventsLeftOut = 12, kLinks = 13, kStatus = 15, kFlags = 16;
constexpr int kEventTime = 1, kEventName = 2, kEventAttributes = 3;
constexpr int kLinkAttributes = 4;
constexpr int kMessage = 2, kCode = 3;
}  // namespace field

// Bits of a span's flags beside the eight of W3C: whether the parent is in another process is known, and it is.
constexpr std::uint32_t kHasIsRemote = 0x100, kIsRemote = 0x200;

// Strings of protobuf are UTF-8.
std::string utf8(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const formats::Character c = formats::first_character(text);
    out += c.code == formats::kNoCharacter ? std::string_view("\xef\xbf\xbd") : text.substr(0, c.length);
    text.remove_prefix(c.length);
  }
  return out;
}

std::string big_endian(std::uint64_t id) {
  std::string out;
  for (int shift = 56; shift >= 0; shift -= 8) out += static_cast<char>(id >> shift);
  return out;
}
std::string trace_bytes(const model::SpanContext& c) { return big_endian(c.trace_high) + big_endian(c.trace_low); }

void put_value(pbf_writer& out, const AttributeValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) {
    out.add_string(field::kText, utf8(*text));
  } else if (const auto* number = std::get_if<std::int64_t>(&value)) {
    out.add_int64(field::kInt, *number);
  } else if (const auto* truth = std::get_if<bool>(&value)) {
    out.add_bool(field::kBool, *truth);
  } else {
    pbf_writer array(out, field::kArray);
    for (const std::string& part : std::get<std::vector<std::string>>(value)) {
      pbf_writer one(array, field::kValues);
      one.add_string(field::kText, utf8(part));
    }
  }
}

void put_attributes(pbf_writer& out, int number, const Attributes& attributes) {
  for (const auto& a : attributes) {
    pbf_writer pair(out, number);
    pair.add_string(field::kKey, utf8(a.key));
    pbf_writer value(pair, field::kValue);
    put_value(value, a.value);
  }
}

void put_attributes(pbf_writer& out, const Span& span) {
  out.add_bytes(field::kTraceId, trace_bytes(span.context));
  out.add_bytes(field::kSpanId, big_endian(span.context.span));
  if (!span.trace_state.empty()) out.add_string(field::kTraceState, utf8(span.trace_state));
  if (span.parent != 0) out.add_bytes(field::kParent, big_endian(span.parent));
  out.add_string(field::kName, utf8(span.name));
  out.add_enum(field::kKind, static_cast<int>(span.kind));
  out.add_fixed64(field::kStart, static_cast<std::uint64_t>(span.start));
  out.add_fixed64(field::kEnd, static_cast<std::uint64_t>(span.end));
  put_attributes(out, field::kSpanAttributes, span.attributes);
  for (const model::SpanEvent& e : span.events) {
    pbf_writer event(out, field::kEvents);
    event.add_fixed64(field::kEventTime, static_cast<std::uint64_t>(e.time));
    event.add_string(field::kEventName, utf8(e.name));
    put_attributes(event, field::kEventAttributes, e.attributes);
  }
  if (span.events_left_out > 0) out.add_uint32(field::kEventsLeftOut, span.events_left_out);
  for (const model::SpanLink& l : span.links) {
    pbf_writer link(out, field::kLinks);
    link.add_bytes(field::kTraceId, trace_bytes(l.to));
    link.add_bytes(field::kSpanId, big_endian(l.to.span));
    put_attributes(link, field::kLinkAttributes, l.attributes);
  }
  {
    pbf_writer status(out, field::kStatus);
    if (!span.status_message.empty()) status.add_string(field::kMessage, utf8(span.status_message));
    if (span.status != model::SpanStatus::unset) status.add_enum(field::kCode, static_cast<int>(span.status));
  }
  const std::uint32_t place = span.parent != 0 ? kHasIsRemote | (span.parent_remote ? kIsRemote : 0) : 0;
  out.add_fixed32(field::kFlags, span.context.flags | place);
}

}  // namespace

std::string otlp(std::span<const model::SpanResource> resources, std::string_view version) {
  std::string out;
  pbf_writer request(out);
  for (const model::SpanResource& r : resources) {
    pbf_writer spans(request, field::kResourceSpans);
    {
      pbf_writer resource(spans, field::kResource);
      put_attributes(resource, field::kAttributes, r.attributes);
    }
    pbf_writer scope_spans(spans, field::kScopeSpans);
    {
      pbf_writer scope(scope_spans, field::kScope);
      scope.add_string(field::kScopeName, "tailcap");
      scope.add_string(field::kScopeVersion, version.data(), version.size());
    }
    for (const Span& s : r.spans) {
      pbf_writer span(scope_spans, field::kSpans);
      put_attributes(span, s);
    }
  }
  return out;
}

}  // namespace tailcap::exports
