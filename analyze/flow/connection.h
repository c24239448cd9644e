// One end of a connection: a recorded socket, with what was seen of it.
#pragma once

#include <cstdint>
#include <string>

#include "analyze/flow/byte_run.h"

namespace tailcap::flow {

struct Connection {
  ConnectionId id = 0;
  SocketId socket = 0;
  formats::Family family = formats::Family::unknown;
  formats::SocketType type = formats::SocketType::unknown;
  formats::Origin origin = formats::Origin::unknown;
  formats::Address local, remote;
  std::uint32_t net_namespace = 0;
  std::uint64_t inode = 0, peer_inode = 0;
  std::string path;
  Time first_seen = kNoTime;
  Time connect_started = kNoTime, established = kNoTime, closed = kNoTime;
  int error = 0;                    // errno that ended it; 0: none seen
  bool reset_received = false, reset_sent = false;
  std::uint64_t bytes_in = 0, bytes_out = 0;     // moved, as far as events tell
  std::uint64_t lost_in = 0, lost_out = 0;       // bytes that no event covers
  std::uint32_t retransmits = 0;
  std::uint32_t events_missed = 0;               // events lost, counted on the socket
  // TCP: the raw sequence number of offset 0 in each direction [out, in]; joins the two ends of a connection.
  std::uint32_t base[2] = {0, 0};
};

// "10.0.0.1:80", "[::1]:80", "unix:/run/x.sock", "unix:" where unnamed.
std::string endpoint(const Connection& connection, bool remote);

}  // namespace tailcap::flow
