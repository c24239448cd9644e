#include "analyze/names/dns_message.h"

#include <algorithm>

namespace tailcap::names {
namespace {

constexpr std::size_t kHeader = 12, kMaxName = 255;
constexpr std::uint16_t kA = 1, kAaaa = 28, kInternet = 1;

std::uint16_t number(std::string_view b, std::size_t at) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(b[at]) << 8 | static_cast<unsigned char>(b[at + 1]));
}

void append_label(std::string& name, std::string_view label) {
  if (!name.empty()) name += '.';
  for (const char c : label) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '.' && c != '\\') {
      name += c;
      continue;
    }
    name += '\\';
    for (const int unit : {100, 10, 1}) name += static_cast<char>('0' + byte / unit % 10);
  }
}

// The name at `at`, which is moved behind it. Pointers must lead further to the front each time, so that they end.
bool read_name(std::string_view message, std::size_t& at, std::string* name) {
  std::size_t place = at, length = 0, limit = at;
  bool jumped = false;
  for (;;) {
    if (place >= message.size()) return false;
    const auto n = static_cast<unsigned char>(message[place]);
    if (n == 0) {
      if (!jumped) at = place + 1;
      return true;
    }
    if ((n & 0xc0) == 0xc0) {
      if (place + 2 > message.size()) return false;
      const std::size_t target = number(message, place) & 0x3fffu;
      if (!jumped) at = place + 2;
      if (target >= limit) return false;
      limit = place = target;
      jumped = true;
      if (!name) return true;
      continue;
    }
    if (n > 63 || place + 1 + n > message.size()) return false;
    length += n + 1u;
    if (length > kMaxName) return false;
    if (name) append_label(*name, message.substr(place + 1, n));
    place += n + 1u;
  }
}

}  // namespace

std::optional<DnsMessage> parse_dns(std::string_view b) {
  if (b.size() < kHeader) return std::nullopt;
  const std::uint16_t flags = number(b, 2);
  DnsMessage m;
  m.id = number(b, 0);
  m.response = (flags & 0x8000) != 0;
  m.truncated = (flags & 0x0200) != 0;
  m.rcode = flags & 15;
  if ((flags >> 11 & 15) != 0 || number(b, 4) != 1) return std::nullopt;  // RFC 9619: one question
  std::size_t at = kHeader;
  if (!read_name(b, at, &m.name) || b.size() - at < 4) return std::nullopt;
  m.type = number(b, at);
  at += 4;
  if (!m.response) return m;
  for (std::uint16_t left = number(b, 6); left > 0; --left) {
    if (!read_name(b, at, nullptr) || b.size() - at < 10) break;
    const std::uint16_t type = number(b, at), kind = number(b, at + 2), length = number(b, at + 8);
    at += 10;
    if (b.size() - at < length) break;
    const bool v4 = type == kA && length == 4, v6 = type == kAaaa && length == 16;
    if (kind == kInternet && (v4 || v6) && m.addresses.size() < model::Lookup::kMaxAddresses) {
      formats::Address address;
      std::copy_n(b.begin() + static_cast<std::ptrdiff_t>(at), length, address.bytes.begin());
      m.addresses.push_back(model::ip_address(address, v6 ? formats::Family::inet6 : formats::Family::inet));
    }
    at += length;
  }
  return m;
}

}  // namespace tailcap::names
