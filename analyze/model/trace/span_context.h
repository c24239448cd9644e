// The identity of a span as values: what traceparent says in hexadecimal and gRPC in bytes.
//
// On the wire: 16 bytes of trace id, 8 of span id, both big-endian, and a byte of flags; 25 in all. Kernel-side structs
// hold the trace id as two 64-bit words, low and high.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tailcap::model {

struct SpanContext {
  static constexpr std::uint8_t kSampled = 0x01, kDebug = 0x02;  // bits of flags

  std::uint64_t trace_high = 0, trace_low = 0;  // both 0: none
  std::uint64_t span = 0;                       // 0: none
  std::uint8_t flags = 0;

  bool has_trace() const { return trace_high != 0 || trace_low != 0; }
  bool sampled() const { return (flags & kSampled) != 0; }
  auto operator<=>(const SpanContext&) const = default;
};

using SpanContextBytes = std::array<std::uint8_t, 25>;
SpanContextBytes bytes_of(const SpanContext& context);
SpanContext span_context_of(const SpanContextBytes& bytes);

std::string hex_of(std::uint64_t id);               // 16 digits in lower case
std::string trace_hex(const SpanContext& context);  // 32
std::string traceparent_of(const SpanContext& context);
// Digits of either case, 16 of them; nothing where it is none. 0 is none.
std::optional<std::uint64_t> id_of_hex(std::string_view text);
// Likewise of 32: sets both halves.
bool set_trace(SpanContext& context, std::string_view text);

}  // namespace tailcap::model
