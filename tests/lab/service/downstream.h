// Calls to another service: one connection each, blocking.
#pragma once

#include <netinet/in.h>

#include <cstdint>
#include <string>

namespace tailcap::lab {

sockaddr_in loopback(std::uint16_t port);
// Throws std::runtime_error if the name has no address.
sockaddr_in resolve(const std::string& name, std::uint16_t port);
// GET, then reads the whole answer. timeout_ms 0: no limit. False: no answer in time.
bool get(const sockaddr_in& address, const std::string& path, const std::string& id, int timeout_ms);

}  // namespace tailcap::lab
