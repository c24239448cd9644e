// Services whose servers listen on a port of their own by default. Another program may listen there, too.
#pragma once

#include <cstdint>
#include <string_view>

namespace tailcap::ground {

std::string_view service_of_port(std::uint16_t port);  // "PostgreSQL"; empty: none

}  // namespace tailcap::ground
