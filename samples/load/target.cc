#include "samples/load/target.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <system_error>

namespace tailcap::samples {

Target Target::parse(const std::string& url) {
  Target target;
  if (url.compare(0, 5, "unix:") == 0) {
    auto* address = reinterpret_cast<sockaddr_un*>(&target.address);
    const std::string path = url.substr(5);
    if (path.empty() || path.size() >= sizeof address->sun_path)
      throw std::runtime_error("the UNIX socket path in '" + url + "' is empty or too long");
    address->sun_family = AF_UNIX;
    std::memcpy(address->sun_path, path.c_str(), path.size() + 1);
    target.length = sizeof *address;
    target.authority = "localhost";
    return target;
  }
  const auto colon = url.rfind(':');
  if (url.compare(0, 7, "http://") != 0 || colon <= 6)
    throw std::runtime_error("the target must be http://HOST:PORT or unix:PATH, not '" + url + "'");
  std::string host = url.substr(7, colon - 7);
  const std::string port = url.substr(colon + 1);
  target.authority = url.substr(7);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  addrinfo hints{}, *found = nullptr;
  hints.ai_socktype = SOCK_STREAM;
  if (const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); error != 0)
    throw std::runtime_error("cannot resolve '" + url + "': " + gai_strerror(error));
  std::memcpy(&target.address, found->ai_addr, found->ai_addrlen);
  target.length = found->ai_addrlen;
  freeaddrinfo(found);
  return target;
}

int Target::connect_socket(bool& refused) const {
  const int s = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (s < 0) throw std::system_error(errno, std::generic_category(), "cannot make a socket");
  const int one = 1;
  if (address.ss_family != AF_UNIX) setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  refused = false;
  if (connect(s, reinterpret_cast<const sockaddr*>(&address), length) == 0 || errno == EINPROGRESS) return s;
  refused = true;
  close(s);
  return -1;
}

}  // namespace tailcap::samples
