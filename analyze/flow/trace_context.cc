#include "analyze/flow/trace_context.h"

#include <algorithm>

namespace tailcap::flow {
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

std::string hexadecimal(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const auto octet = static_cast<unsigned char>(c);
    out.push_back(kDigits[octet >> 4]);
    out.push_back(kDigits[octet & 15]);
  }
  return out;
}

int sextet(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

// Padded or not, as gRPC demands. False: it is no base64.
bool decode_base64(std::string_view text, std::string& out) {
  if (text.size() % 4 == 0)
    for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  if (text.size() % 4 == 1) return false;
  unsigned bits = 0, have = 0;
  for (const char c : text) {
    const int value = sextet(c);
    if (value < 0) return false;
    bits = (bits << 6 | static_cast<unsigned>(value)) & 0xffff;
    if ((have += 6) < 8) continue;
    have -= 8;
    out.push_back(static_cast<char>(bits >> have & 0xff));
  }
  return true;
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
  if (value.starts_with('\0')) bytes = value.substr(1);
  else if (!decode_base64(value, bytes)) return {};
  if (bytes.size() < kShort || bytes[0] != 0 || bytes[kTrace - 1] != 0 || bytes[kSpan - 1] != 1) return {};
  // The options may be left out. A field of a higher number is of a later day, and of unknown length: no more is read.
  std::string flags = "00";
  if (bytes.size() > kShort && bytes[kShort] <= 2) {
    if (bytes.size() < kLong || bytes[kShort] != 2) return {};
    flags = hexadecimal(std::string_view(bytes).substr(kShort + 1, 1));
  }
  const std::string_view all = bytes;
  return composed(hexadecimal(all.substr(kTrace, 16)), hexadecimal(all.substr(kSpan, 8)), flags);
}

TraceContext trace_context(const Headers& headers) {
  TraceContext out;
  const auto take = [&](std::string parent) {
    if (parent.empty()) out.invalid = true;
    else if (out.traceparent.empty()) out.traceparent = std::move(parent);
  };
  const auto field = [&](std::string_view name) {
    const auto value = headers.find(name);
    if (value) out.present = true;
    return value && !masked(*value) ? value : std::nullopt;
  };
  if (const auto parent = field("traceparent"))
    take(valid_traceparent(*parent) ? std::string(parent->substr(0, kTraceparent)) : std::string());
  if (const auto binary = field("grpc-trace-bin")) take(traceparent_of_binary(*binary));
  // The other keys are nobody's in particular: one of them alone means nothing.
  const auto trace = headers.find("trace-id"), span = headers.find("span-id");
  if (!trace || !span) return out;
  out.present = true;
  if (masked(*trace) || masked(*span)) return out;
  const auto flags = headers.find("traceflags");
  take(composed(lower(*trace), lower(*span), flags ? lower(*flags) : "00"));
  return out;
}

}  // namespace tailcap::flow
