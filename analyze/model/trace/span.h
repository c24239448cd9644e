// Spans as OpenTelemetry defines them, under the resource that they belong to; made by spans/.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "analyze/model/trace/span_context.h"

namespace tailcap::model {

using AttributeValue = std::variant<std::string, std::int64_t, bool, std::vector<std::string>>;
struct Attribute {
  std::string key;
  AttributeValue value;
  bool operator==(const Attribute&) const = default;
};

// In order; each key once.
class Attributes {
 public:
  // Replaces what was there under this key.
  void set(std::string_view key, AttributeValue value);
  void set(std::string_view key, std::string_view text) { set(key, AttributeValue(std::string(text))); }
  void set(std::string_view key, std::string text) { set(key, AttributeValue(std::move(text))); }
  void set(std::string_view key, const char* text) { set(key, std::string_view(text)); }
  // Not where text is empty.
  void set_known(std::string_view key, std::string_view text) {
    if (!text.empty()) set(key, text);
  }
  const AttributeValue* find(std::string_view key) const;  // valid until the next change
  bool erase(std::string_view key);
  auto begin() const { return all_.begin(); }
  auto end() const { return all_.end(); }
  std::size_t size() const { return all_.size(); }
  bool operator==(const Attributes&) const = default;

 private:
  std::vector<Attribute> all_;
};

// As a rules file compares it: numbers in decimal, "true", "false"; a list is joined by commas.
std::string text_of(const AttributeValue& value);

struct SpanEvent {
  std::int64_t time = 0;  // ns since 1970
  std::string name;
  Attributes attributes;
};

struct SpanLink {
  SpanContext to;
  Attributes attributes;
};

// OpenTelemetry's numbers.
enum class SpanKind : std::uint8_t { internal = 1, server = 2, client = 3, producer = 4, consumer = 5 };
enum class SpanStatus : std::uint8_t { unset = 0, ok = 1, error = 2 };

struct Span {
  SpanContext context;
  std::uint64_t parent = 0;    // 0: none, or not known
  bool parent_remote = false;  // it was named on the wire, or is in another process
  std::string trace_state, name;
  SpanKind kind = SpanKind::internal;
  std::int64_t start = 0, end = 0;  // ns since 1970
  Attributes attributes;
  std::vector<SpanEvent> events;
  std::uint32_t events_left_out = 0;
  std::vector<SpanLink> links;
  SpanStatus status = SpanStatus::unset;
  std::string status_message;
};

// A process.
struct SpanResource {
  Attributes attributes;
  std::vector<Span> spans;
};

}  // namespace tailcap::model
