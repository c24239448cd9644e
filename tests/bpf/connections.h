// Connections within one process, over TCP or UNIX sockets.
#pragma once

#include <sys/socket.h>

namespace tailcap::workload {

struct Listener {
  int descriptor;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  int family, type;
};

// On an address that the kernel chooses, on this machine.
Listener listen_on(int family, int type);

struct Pair {
  int client, server;
};

Pair connect_to(const Listener& listener);
Pair tcp_pair();

// Closes the client first; the rest at the server is read and counted.
void close_both(Pair pair);

}  // namespace tailcap::workload
