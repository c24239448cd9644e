// A message of the kernel about a network interface (rtnetlink), as facts.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace tailcap::capture::links {

struct LinkFacts {
  std::uint32_t index = 0;
  std::string name;
  std::string type;          // "veth", "bond", …; empty: none
  std::uint32_t mtu = 0;     // bytes
  std::uint32_t master = 0;  // index; 0: none
  std::uint32_t peer = 0;    // index; 0: none
  // The kernel's number of the namespace that the peer is in, as this namespace knows it; none: the same namespace.
  std::optional<std::int32_t> peer_namespace_id;
  bool up = false;
  bool operator==(const LinkFacts&) const = default;
};

struct LinkMessage {
  LinkFacts link;
  bool gone = false;
};

// message: with its header. Nothing where it is not about an interface of its own (one about a port of a bridge is
// not), or is damaged.
std::optional<LinkMessage> link_message(std::span<const std::byte> message);

// The answer to a question for a namespace's number. Nothing: it has none, or this is no such answer.
std::optional<std::int32_t> namespace_id_of(std::span<const std::byte> message);

}  // namespace tailcap::capture::links
