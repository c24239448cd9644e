// Where a connection's ends are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/wire/endpoint_texts.h"

namespace tailcap::spans {

using model::EndpointTexts;
using AllEnds = std::vector<EndpointTexts>;  // by ConnectionId

struct HostPort {
  std::string_view host;  // without brackets; of a UNIX socket its path
  int port = -1;          // -1: none
  bool is_unix = false;
};
// "10.0.0.1:80", "[::1]:80", "unix:/run/x.sock", and as in a Host field "shop", "shop:8080", "[::1]".
HostPort host_port(std::string_view text);

}  // namespace tailcap::spans
