#include "analyze/model/trace/span_context.h"

#include <cstddef>

#include "ground/text.h"

namespace tailcap::model {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

std::optional<std::uint64_t> word_of(std::string_view text) {
  if (text.size() != 16) return std::nullopt;
  std::uint64_t out = 0;
  for (const char c : text) {
    const int digit = digit_of(c);
    if (digit < 0) return std::nullopt;
    out = out << 4 | static_cast<std::uint64_t>(digit);
  }
  return out;
}

}  // namespace

SpanContextBytes bytes_of(const SpanContext& context) {
  SpanContextBytes out{};
  const std::uint64_t words[] = {context.trace_high, context.trace_low, context.span};
  for (std::size_t i = 0; i < 24; ++i) out[i] = static_cast<std::uint8_t>(words[i / 8] >> (56 - 8 * (i % 8)));
  out[24] = context.flags;
  return out;
}

SpanContext span_context_of(const SpanContextBytes& bytes) {
  std::uint64_t words[3] = {};
  for (std::size_t i = 0; i < 24; ++i) words[i / 8] = words[i / 8] << 8 | bytes[i];
  return {words[0], words[1], words[2], bytes[24]};
}

std::string hex_of(std::uint64_t id) { return ground::hex_text(id, 16); }

std::string trace_hex(const SpanContext& context) { return hex_of(context.trace_high) + hex_of(context.trace_low); }

std::string traceparent_of(const SpanContext& context) {
  return "00-" + trace_hex(context) + "-" + hex_of(context.span) + "-" + ground::hex_text(context.flags, 2);
}

std::optional<std::uint64_t> id_of_hex(std::string_view text) {
  const auto id = word_of(text);
  return id && *id != 0 ? id : std::nullopt;
}

bool set_trace(SpanContext& context, std::string_view text) {
  if (text.size() != 32) return false;
  const auto high = word_of(text.substr(0, 16)), low = word_of(text.substr(16));
  if (!high || !low || (*high == 0 && *low == 0)) return false;
  context.trace_high = *high;
  context.trace_low = *low;
  return true;
}

}  // namespace tailcap::model
