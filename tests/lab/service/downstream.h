// Calls of another service: a connection each, blocking.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>

namespace tailcap::lab {

sockaddr_in loopback(std::uint16_t port);
// Throws std::runtime_error where the name has no address.
sockaddr_in resolve(const std::string& name, std::uint16_t port);
// GET, and the whole answer. timeout_ms 0: none. False: there was none in time.
bool get(const sockaddr_in& address, const std::string& path, const std::string& id, int timeout_ms);

}  // namespace tailcap::lab
