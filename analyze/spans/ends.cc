#include "analyze/spans/ends.h"

#include <charconv>

namespace tailcap::spans {

HostPort host_port(std::string_view text) {
  HostPort out;
  if (text.starts_with("unix:")) {
    out.host = text.substr(5);
    out.is_unix = true;
    return out;
  }
  out.host = text;
  std::size_t colon = text.rfind(':');
  if (text.starts_with('[')) {
    const auto close = text.find(']');
    if (close == text.npos) return out;
    out.host = text.substr(1, close - 1);
    colon = close + 1 < text.size() && text[close + 1] == ':' ? close + 1 : text.npos;
  } else if (colon != text.npos) {
    if (text.find(':') != colon) return out;  // an address of version 6 without brackets
    out.host = text.substr(0, colon);
  }
  if (colon == text.npos) return out;
  std::uint16_t port = 0;
  const char* const end = text.data() + text.size();
  if (const auto [at, error] = std::from_chars(text.data() + colon + 1, end, port); error == std::errc{} && at == end)
    out.port = port;
  return out;
}

}  // namespace tailcap::spans
