// Which processes, recorded or not, have the other ends of connections within the machine: output of list_holders
// (bpf/net/list.bpf.c).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>

#include "formats/socket_event.h"

namespace tailcap::capture {

class SocketHolders {
 public:
  static constexpr std::size_t kMost = 64u << 10;

  explicit SocketHolders(std::span<const std::byte> listed);
  // The process that has the other end of this socket; 0: not known, or there are several.
  std::uint32_t of_other_end(const formats::SocketInfo& socket) const;

 private:
  std::unordered_map<std::string, std::uint32_t> holders_;  // by namespace, addresses and ports; 0: several
};

}  // namespace tailcap::capture
