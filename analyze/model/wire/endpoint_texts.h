// The addresses of the two ends of a connection.
#pragma once

#include <cstdint>
#include <string_view>

namespace tailcap::model {

// Texts as endpoint() writes them; empty: unknown.
struct EndpointTexts {
  std::string_view local, remote;
  formats::SocketId socket = 0;
  std::uint32_t net_namespace = 0;
};

}  // namespace tailcap::model
