// The addresses of this machine's interfaces, in the network namespace that the recorder is in. Those of other
// namespaces are not asked for: it would have to enter them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "formats/socket_event.h"

namespace tailcap::capture {

struct InterfaceFacts {
  std::uint32_t index = 0;
  std::string name;
  formats::Family family = formats::Family::unknown;
  formats::Address address;
  std::uint8_t prefix = 0;
};

inline constexpr std::size_t kMaxInterfaceAddresses = 1024;

// Up to a limit; empty if they cannot be read.
std::vector<InterfaceFacts> interface_facts();
// The inode of our network namespace, as recorded with sockets; 0: cannot be read.
std::uint32_t own_net_namespace();

}  // namespace tailcap::capture
