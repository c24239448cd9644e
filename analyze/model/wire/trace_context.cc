#include "analyze/model/wire/trace_context.h"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <optional>
#include <utility>

#include "analyze/model/wire/trace_formats.h"
#include "ground/text.h"

namespace tailcap::model {
namespace {

constexpr std::string_view kDigits = "0123456789abcdef";

bool lower_hex(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return kDigits.find(c) != kDigits.npos; });
}
bool all_zero(std::string_view s) {
  return std::all_of(s.begin(), s.end(), [](char c) { return c == '0'; });
}

std::string lower(std::string_view s) {
  std::string out(s);
  for (char& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + ('a' - 'A'));
  return out;
}

std::string composed(std::string_view trace, std::string_view span, std::string_view flags) {
  std::string out = "00-" + std::string(trace) + "-" + std::string(span) + "-" + std::string(flags);
  return valid_traceparent(out) ? out : std::string();
}

bool masked(std::string_view value) {
  return !value.empty() && std::all_of(value.begin(), value.end(), [](char c) { return c == '*'; });
}

}  // namespace

bool valid_traceparent(std::string_view t) {
  if (t.size() < kTraceparent || t[2] != '-' || t[35] != '-' || t[52] != '-') return false;
  const std::string_view version = t.substr(0, 2), trace = t.substr(3, 32), parent = t.substr(36, 16);
  if (!lower_hex(version) || version == "ff" || !lower_hex(t.substr(53, 2))) return false;
  if (t.size() > kTraceparent && (version == "00" || t[kTraceparent] != '-')) return false;
  return lower_hex(trace) && !all_zero(trace) && lower_hex(parent) && !all_zero(parent);
}

std::string traceparent_of_binary(std::string_view value) {
  constexpr std::size_t kTrace = 2, kSpan = kTrace + 16 + 1, kShort = kSpan + 8, kLong = kShort + 2;
  std::string bytes;
  if (value.size() > 256) return {};
  if (value.starts_with('\0'))
    bytes = value.substr(1);
  else if (!decode_base64(value, bytes))
    return {};
  if (bytes.size() < kShort || bytes[0] != 0 || bytes[kTrace - 1] != 0 || bytes[kSpan - 1] != 1) return {};
  // The options may be left out. A field of a higher number is of a later day, and of unknown length: no more is read.
  std::string flags = "00";
  if (bytes.size() > kShort && bytes[kShort] <= 2) {
    if (bytes.size() < kLong || bytes[kShort] != 2) return {};
    flags = ground::hex_text(std::string_view(bytes).substr(kShort + 1, 1));
  }
  const std::string_view all = bytes;
  return composed(ground::hex_text(all.substr(kTrace, 16)), ground::hex_text(all.substr(kSpan, 8)), flags);
}

namespace {

enum Known : std::size_t {
  kW3c,
  kGrpc,
  kTrace,
  kSpan,
  kFlags,
  kB3,
  kB3Trace,
  kB3Span,
  kB3Parent,
  kB3Sampled,
  kUber,
  kSw8,
  kAmzn,
  kKnown
};
std::array<std::string_view, kKnown> names = {
    "traceparent",    "grpc-trace-bin", "trace-id",          "span-id",      "traceflags",    "b3",
    "x-b3-traceid",   "x-b3-spanid",    "x-b3-parentspanid", "x-b3-sampled", "uber-trace-id", "sw8",
    "x-amzn-trace-id"};

TraceKeys own_keys;

// The fields by the lengths of their names, as bits: most fields of a request have another.
class ByLength {
 public:
  ByLength() {
    for (std::size_t k = 0; k < kKnown; ++k) known_[std::min(names[k].size(), kMost)] |= 1u << k;
  }
  unsigned operator[](std::size_t length) const { return known_[std::min(length, kMost)]; }

 private:
  static constexpr std::size_t kMost = 31;  // and longer ones
  static_assert(kKnown < 32);
  std::array<unsigned, kMost + 1> known_{};
};
ByLength by_length;

bool is_named(std::string_view name, std::string_view known) {
  return name.size() == known.size() && std::equal(name.begin(), name.end(), known.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? x + ('a' - 'A') : x) == y;
         });
}

bool same_trace(std::string_view a, std::string_view b) {
  if (a == b) return true;
  if (a.size() != 32 || b.size() != 32 || a.substr(16) != b.substr(16)) return false;
  return all_zero(a.substr(0, 16)) || all_zero(b.substr(0, 16));
}

class Choice {
 public:
  explicit Choice(TraceContext& out) : out_(out) {}

  // `own`: a system that numbers its traces beside the others'.
  void take(TraceFormat format, std::optional<TraceIds> ids, bool own = false) {
    out_.present = true;
    if (!ids) {
      out_.invalid = true;
      return;
    }
    const bool first = out_.format == TraceFormat::none;
    if (!first && (!own || out_.format == format)) conflict_ = conflict_ || !same_trace(out_.trace_id, ids->trace);
    if (!first) return;
    out_.format = format;
    out_.traceparent = composed(ids->trace, ids->span, ids->flags);
    out_.trace_id = std::move(ids->trace);
    out_.span_id = std::move(ids->span);
    out_.parent_span = std::move(ids->parent);
  }

  // As it was sent.
  void take_w3c(TraceFormat format, std::string parent) {
    if (parent.empty()) return take(format, std::nullopt);
    const bool first = out_.format == TraceFormat::none;
    take(format, TraceIds{parent.substr(3, 32), parent.substr(36, 16), {}, parent.substr(53, 2)});
    if (first) out_.traceparent = std::move(parent);
  }

  void settle() {
    if (!conflict_) return;
    const bool invalid = out_.invalid;
    out_ = {};
    out_.present = true;
    out_.invalid = invalid;
    out_.format = TraceFormat::conflicting;
  }

 private:
  TraceContext& out_;
  bool conflict_ = false;
};

}  // namespace

void name_trace_keys(TraceKeys keys) {
  own_keys = std::move(keys);
  names[kTrace] = own_keys.trace;
  names[kSpan] = own_keys.span;
  names[kFlags] = own_keys.flags;
  by_length = {};
}

TraceContext trace_context(const Headers& headers) {
  TraceContext out;
  std::array<std::optional<std::string_view>, kKnown> first;
  std::array<bool, kKnown> repeated{};
  for (std::size_t i = 0; i < headers.size(); ++i) {
    const Headers::Field field = headers[i];
    for (unsigned known = by_length[field.name.size()]; known != 0; known &= known - 1) {
      const auto k = static_cast<std::size_t>(std::countr_zero(known));
      if (!is_named(field.name, names[k])) continue;
      if (!first[k])
        first[k] = field.value;
      else if (*first[k] != field.value)
        repeated[k] = true;
    }
  }
  if (std::none_of(first.begin(), first.end(), [](const auto& f) { return f.has_value(); })) return out;
  Choice choice(out);
  const auto text = [&](Known k) { return first[k].value_or(std::string_view{}); };
  // Every value of a field, as a rule one.
  const auto each = [&](Known k, auto take) {
    if (!first[k]) return;
    out.present = true;
    if (!repeated[k]) {
      if (!masked(*first[k])) take(*first[k]);
      return;
    }
    for (std::size_t i = 0; i < headers.size(); ++i)
      if (is_named(headers[i].name, names[k]) && !masked(headers[i].value)) take(headers[i].value);
  };
  each(kW3c, [&](std::string_view v) {
    choice.take_w3c(TraceFormat::traceparent,
                    valid_traceparent(v) ? std::string(v.substr(0, kTraceparent)) : std::string());
  });
  each(kGrpc, [&](std::string_view v) { choice.take_w3c(TraceFormat::grpc_trace_bin, traceparent_of_binary(v)); });
  // The other keys belong to no format in particular: one of them alone means nothing.
  if (first[kTrace] && first[kSpan]) {
    out.present = true;
    each(kTrace, [&](std::string_view v) {
      if (masked(text(kSpan))) return;
      choice.take_w3c(TraceFormat::trace_id,
                      composed(lower(v), lower(text(kSpan)), first[kFlags] ? lower(text(kFlags)) : "00"));
    });
  }
  if (first[kB3] && !is_b3_decision(text(kB3)))
    each(kB3, [&](std::string_view v) { choice.take(TraceFormat::b3, ids_of_b3(v)); });
  each(kB3Trace, [&](std::string_view v) {
    if (!masked(text(kB3Span)))
      choice.take(TraceFormat::x_b3, ids_of_x_b3(v, text(kB3Span), text(kB3Parent), text(kB3Sampled)));
  });
  each(kUber, [&](std::string_view v) { choice.take(TraceFormat::uber_trace_id, ids_of_uber(v)); });
  each(kSw8, [&](std::string_view v) { choice.take(TraceFormat::sw8, ids_of_sw8(v), true); });
  each(kAmzn, [&](std::string_view v) { choice.take(TraceFormat::x_amzn_trace_id, ids_of_amzn(v), true); });
  choice.settle();
  return out;
}

std::string TraceContext::text() const {
  if (!traceparent.empty() || trace_id.empty()) return traceparent;
  return trace_id + "/" + span_id;
}

int trace_flags_in(std::string_view text) {
  int flags = -1;
  if (valid_traceparent(text)) std::from_chars(text.data() + 53, text.data() + 55, flags, 16);
  return flags;
}

std::string_view trace_id_in(std::string_view text) {
  return valid_traceparent(text) ? text.substr(3, 32) : text.substr(0, text.find('/'));
}

std::string_view span_id_in(std::string_view text) {
  if (valid_traceparent(text)) return text.substr(36, 16);
  const std::size_t slash = text.find('/');
  return slash == text.npos ? std::string_view{} : text.substr(slash + 1);
}

std::string_view name_of(TraceFormat format) {
  switch (format) {
    case TraceFormat::none:
      return {};
    case TraceFormat::traceparent:
      return "traceparent";
    case TraceFormat::grpc_trace_bin:
      return "grpc-trace-bin";
    case TraceFormat::trace_id:
      return "trace-id";
    case TraceFormat::b3:
      return "b3";
    case TraceFormat::x_b3:
      return "x-b3";
    case TraceFormat::uber_trace_id:
      return "uber-trace-id";
    case TraceFormat::sw8:
      return "sw8";
    case TraceFormat::x_amzn_trace_id:
      return "x-amzn-trace-id";
    case TraceFormat::conflicting:
      return "conflicting";
  }
  return {};
}

}  // namespace tailcap::model
