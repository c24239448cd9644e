// Where a connection's ends are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "formats/event.h"

namespace tailcap::spans {

// Texts as flow::endpoint() writes them; empty: not known.
struct Ends {
  std::string_view local, remote;
  formats::SocketId socket = 0;
  std::uint32_t net_namespace = 0;
};
using AllEnds = std::vector<Ends>;  // by ConnectionId

struct HostPort {
  std::string_view host;  // without brackets; of a UNIX socket its path
  int port = -1;          // -1: none
  bool is_unix = false;
};
// "10.0.0.1:80", "[::1]:80", "unix:/run/x.sock", and as in a Host field "shop", "shop:8080", "[::1]".
HostPort host_port(std::string_view text);

}  // namespace tailcap::spans
