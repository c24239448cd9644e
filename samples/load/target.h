// Where the load goes: an address that a socket can be connected to.
#pragma once

#include <sys/socket.h>

#include <string>

namespace tailcap::samples {

struct Target {
  sockaddr_storage address{};
  socklen_t length = 0;
  std::string authority;  // for the Host header

  // "http://HOST:PORT" (numeric or a name, [v6] in brackets) or "unix:PATH".
  // Throws std::runtime_error that says what is wrong.
  static Target parse(const std::string& url);

  // A non-blocking socket whose connect has been started. Throws std::system_error when that is impossible at once;
  // `refused` is set instead where the peer said no.
  int connect_socket(bool& refused) const;
};

}  // namespace tailcap::samples
