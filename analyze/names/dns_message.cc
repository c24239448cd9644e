#include "analyze/names/dns_message.h"

#include <algorithm>

#include "formats/event.h"
#include "ground/dns.h"

namespace tailcap::names {

namespace dns = ground::dns;

namespace {

constexpr std::size_t kMaxName = 255;

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
bool read_name(std::string_view message, std::size_t& at, std::string& name) {
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
      const std::size_t target = dns::number(message, place) & 0x3fffu;
      if (!jumped) at = place + 2;
      if (target >= limit) return false;
      limit = place = target;
      jumped = true;
      continue;
    }
    if (n > 63 || place + 1 + n > message.size()) return false;
    length += n + 1u;
    if (length > kMaxName) return false;
    append_label(name, message.substr(place + 1, n));
    place += n + 1u;
  }
}

}  // namespace

std::optional<DnsMessage> parse_dns(std::string_view b) {
  const auto header = dns::header(b);
  if (!header) return std::nullopt;
  DnsMessage m;
  m.id = header->id;
  m.response = header->response();
  m.truncated = header->truncated();
  m.rcode = header->rcode();
  std::size_t at = dns::kHeader;
  if (!read_name(b, at, m.name) || b.size() - at < dns::kQuestion) return std::nullopt;
  m.type = dns::number(b, at);
  at += dns::kQuestion;
  if (!m.response) return m;
  constexpr std::size_t kAnswers = 6;  // where their number is
  m.records = dns::number(b, kAnswers);
  for (std::uint16_t left = m.records; left > 0; --left) {
    const auto behind = dns::name_end(b, at, [](std::size_t, std::size_t) {});
    const auto record = behind ? dns::record(b, *behind) : std::nullopt;
    if (!record) break;
    if (record->address() && m.addresses.size() < model::Lookup::kMaxAddresses) {
      formats::Address address;
      std::copy_n(b.begin() + static_cast<std::ptrdiff_t>(record->data), record->length, address.bytes.begin());
      m.addresses.push_back(
          model::ip_address(address, record->type == dns::kAaaa ? formats::Family::inet6 : formats::Family::inet));
    }
    at = record->data + record->length;
  }
  return m;
}

}  // namespace tailcap::names
