#include "analyze/model/audit/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <utility>

#include "formats/event.h"

namespace tailcap::model::audit {
namespace {

constexpr unsigned kMapped = 96;  // bits in front of an IPv4 address

bool is_ipv4(const IpAddress& a) {
  return std::all_of(a.begin(), a.begin() + 10, [](std::uint8_t b) { return b == 0; }) && a[10] == 0xff &&
         a[11] == 0xff;
}

}  // namespace

std::optional<IpAddress> ip_of(formats::Family family, const formats::Address& address) {
  if (family != formats::Family::inet && family != formats::Family::inet6) return std::nullopt;
  return ip_address(address, family);
}

std::optional<IpAddress> parse_ip(const std::string& text) {
  formats::Address out;
  for (const auto& [family, number] : {std::pair{formats::Family::inet, AF_INET}, {formats::Family::inet6, AF_INET6}})
    if (inet_pton(number, text.c_str(), out.bytes.data()) == 1) return ip_address(out, family);
  return std::nullopt;
}

std::string ip_text(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN] = "";
  if (is_ipv4(address))
    inet_ntop(AF_INET, address.data() + 12, text, sizeof text);
  else
    inet_ntop(AF_INET6, address.data(), text, sizeof text);
  return text;
}

std::string ip_text(const IpAddress& address, std::uint16_t port) {
  const std::string ip = ip_text(address);
  return (is_ipv4(address) ? ip : "[" + ip + "]") + ":" + std::to_string(port);
}

bool is_loopback(const IpAddress& a) {
  if (is_ipv4(a)) return a[12] == 127;
  return std::all_of(a.begin(), a.end() - 1, [](std::uint8_t b) { return b == 0; }) && a[15] == 1;
}

bool AddressBlock::contains(const IpAddress& address) const {
  const unsigned whole = bits / 8, rest = bits % 8;
  if (!std::equal(base.begin(), base.begin() + whole, address.begin())) return false;
  return rest == 0 || ((base[whole] ^ address[whole]) >> (8 - rest)) == 0;
}

std::optional<AddressBlock> parse_block(const std::string& text) {
  const auto slash = text.find('/');
  const auto ip = parse_ip(text.substr(0, slash));
  if (!ip) return std::nullopt;
  const bool ipv4 = text.substr(0, slash).find(':') == std::string::npos;
  AddressBlock out{*ip, 128};
  if (slash == std::string::npos) return out;
  const char *begin = text.data() + slash + 1, *end = text.data() + text.size();
  unsigned bits = 0;
  const auto [stop, error] = std::from_chars(begin, end, bits);
  if (error != std::errc{} || stop != end || bits > (ipv4 ? 32u : 128u)) return std::nullopt;
  out.bits = bits + (ipv4 ? kMapped : 0);
  return out;
}

}  // namespace tailcap::model::audit
