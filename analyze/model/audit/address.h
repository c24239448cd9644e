// IP addresses and blocks of them. IPv4 is ::ffff:a.b.c.d in both, so that one form is compared with itself.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "analyze/model/wire/lookup.h"
#include "formats/socket_event.h"

namespace tailcap::model::audit {

// Unset: the family has none, or is not known.
std::optional<IpAddress> ip_of(formats::Family family, const formats::Address& address);
std::optional<IpAddress> parse_ip(const std::string& text);
std::string ip_text(const IpAddress& address);  // "10.0.0.1", "2001:db8::1"
std::string ip_text(const IpAddress& address, std::uint16_t port);
bool is_loopback(const IpAddress& address);

struct AddressBlock {
  IpAddress base{};
  unsigned bits = 0;  // of 128

  bool contains(const IpAddress& address) const;
  bool contains(const AddressBlock& other) const { return other.bits >= bits && contains(other.base); }
};

// "10.0.0.0/8", "2001:db8::/32"; an address is the block of itself.
std::optional<AddressBlock> parse_block(const std::string& text);

}  // namespace tailcap::model::audit
