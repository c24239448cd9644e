#include "analyze/protocols/http2/settings.h"

namespace tailcap::protocols::http2 {
namespace {

enum : std::uint16_t { kMaxConcurrentStreams = 3, kInitialWindowSize = 4, kMaxFrameSize = 5 };

int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '-' ? 62 : c == '_' ? 63 : -1;
}

}  // namespace

void Settings::apply(std::string_view payload) {
  for (; payload.size() >= 6; payload.remove_prefix(6)) {
    const std::uint32_t value = read32(payload.substr(2));
    switch (read16(payload)) {
      case kMaxConcurrentStreams:
        max_streams = value;
        break;
      case kInitialWindowSize:
        if (value <= kMaxWindow) initial_window = value;
        break;
      case kMaxFrameSize:
        if (value >= kSmallestMaxFrame && value < 1u << 24) max_frame = value;
        break;
    }
  }
}

std::string settings_of_upgrade(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned n = 0;
  for (const char c : text) {
    if (c == '=') break;
    const int value = value_of(c);
    if (value < 0) return {};
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if ((n += 6) >= 8) out.push_back(static_cast<char>(bits >> (n -= 8)));
  }
  return out.size() % 6 == 0 ? out : std::string();
}

}  // namespace tailcap::protocols::http2
