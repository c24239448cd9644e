// The address that the load is sent to: one that a socket can be connected to.
#pragma once

#include <sys/socket.h>

#include <string>

namespace tailcap::samples {

struct Target {
  sockaddr_storage address{};
  socklen_t length = 0;
  std::string authority;  // for the Host header

  // "http://HOST:PORT" (numeric or a name, [v6] in brackets) or "unix:PATH". Throws std::runtime_error with the reason
  // if the URL is invalid.
  static Target parse(const std::string& url);

  // Returns a non-blocking socket with its connect begun; the caller owns it. Throws std::system_error if that fails at
  // once; sets `refused` instead if the peer refused.
  int connect_socket(bool& refused) const;
};

}  // namespace tailcap::samples
