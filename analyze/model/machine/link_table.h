// The network interfaces of a capture: what they were last, by network namespace and index.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "formats/recorder_event.h"

namespace tailcap::model {

// The kernel's have less than 16 bytes; a file may say anything.
inline constexpr std::size_t kMaxLinkName = 32;

// As formats::NetLink, with texts of its own.
struct Link {
  std::uint32_t net_namespace = 0, index = 0;
  std::string name, type;
  std::uint32_t mtu = 0;
  std::uint32_t master = 0, peer = 0, peer_namespace = 0;
  bool up = false, gone = false;
};
Link link_of(const formats::NetLink& event);

class LinkTable {
 public:
  static constexpr std::size_t kMaxLinks = 16'384;

  void push(const formats::NetLink& event);
  const Link* find(std::uint32_t net_namespace, std::uint32_t index) const;  // null: not known
  const Link* master_of(const Link& link) const;
  const Link* peer_of(const Link& link) const;

 private:
  std::map<std::pair<std::uint32_t, std::uint32_t>, Link> links_;
};

}  // namespace tailcap::model
