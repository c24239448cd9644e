// A DNS message, RFC 1035: its first question, and the addresses in its answers.
//
// Any bytes may come: nothing outside them is read, and names have at most 255 bytes however they point at each other.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/wire/lookup.h"

namespace tailcap::names {

struct DnsMessage {
  std::uint16_t id = 0;
  bool response = false, truncated = false;
  int rcode = 0;
  std::string name;  // as in model::Lookup
  std::uint16_t type = 0;
  std::uint16_t records = 0;                // in its answer section, as its header says
  std::vector<model::IpAddress> addresses;  // model::Lookup::kMaxAddresses at most
};

// bytes may end early: then what follows is missing. Unset: no header and question of a query (opcode 0) are there.
std::optional<DnsMessage> parse_dns(std::string_view bytes);

}  // namespace tailcap::names
