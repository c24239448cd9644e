#include "tests/bpf/connections.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>
#include <string>

#include "tests/bpf/counted.h"

namespace tailcap::workload {

Listener listen_on(int family, int type) {
  Listener l;
  l.family = family;
  l.type = type;
  l.descriptor = socket(family, type | SOCK_CLOEXEC, 0);
  sockaddr_storage address{};
  socklen_t size = 0;
  if (family == AF_INET) {
    auto& in = reinterpret_cast<sockaddr_in&>(address);
    in = {AF_INET, 0, {htonl(INADDR_LOOPBACK)}, {}};
    size = sizeof in;
  } else if (family == AF_INET6) {
    auto& in = reinterpret_cast<sockaddr_in6&>(address);
    in.sin6_family = AF_INET6;
    in.sin6_addr = in6addr_loopback;
    size = sizeof in;
  } else {
    auto& un = reinterpret_cast<sockaddr_un&>(address);
    un.sun_family = AF_UNIX;
    const std::string name = std::string(1, '\0') + "tailcap-workload-" + std::to_string(getpid());
    std::memcpy(un.sun_path, name.data(), name.size());
    size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
  }
  if (bind(l.descriptor, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(l.descriptor, 64) != 0)
    die("listen");
  if (getsockname(l.descriptor, reinterpret_cast<sockaddr*>(&l.address), &l.size) != 0) die("getsockname");
  return l;
}

Pair connect_to(const Listener& l) {
  const int client = socket(l.family, l.type | SOCK_CLOEXEC, 0);
  if (connect(client, reinterpret_cast<const sockaddr*>(&l.address), l.size) != 0) die("connect");
  const int server = accept(l.descriptor, nullptr, nullptr);
  if (server < 0) die("accept");
  return {client, server};
}

Pair tcp_pair() {
  const Listener l = listen_on(AF_INET, SOCK_STREAM);
  const Pair pair = connect_to(l);
  close(l.descriptor);
  return pair;
}

void close_both(Pair pair) {
  close(pair.client);
  receive_end(pair.server);
  close(pair.server);
}

}  // namespace tailcap::workload
