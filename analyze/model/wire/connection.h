// One end of a connection: a recorded socket and the facts about it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "analyze/model/wire/byte_run.h"
#include "formats/socket_event.h"
#include "formats/tls_event.h"

namespace tailcap::model {

// How the socket of a TLS session is known.
enum class BindingHow : std::uint8_t {
  none = 0,     // it is not known
  nested = 1,   // the library's calls made the socket's
  lengths = 2,  // records of the socket have the lengths of what the library took and gave, call by call
};

// A TLS session is a connection end of its own: what it moves is plaintext.
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
  Thread opener;                // called connect(); tid 0: not known
  bool connect_failed = false;  // it was closed before it was established: the kernel said so
  bool was_connected = false;   // it was described as established, or later
  Time peer_closed = kNoTime;   // its peer sent its FIN: here, or earlier where it was closed when it was first seen
  int error = 0;                // errno that ended it; 0: none seen
  bool reset_received = false, reset_sent = false;
  std::uint64_t bytes_in = 0, bytes_out = 0;  // moved, as far as events show
  std::uint64_t lost_in = 0, lost_out = 0;    // bytes that no event covers
  std::uint32_t retransmits = 0;
  std::uint32_t events_missed = 0;  // events lost, counted on the socket
  // TCP: the raw sequence number of offset 0 in each direction [out, in]; joins the two ends of a connection.
  std::uint32_t base[2] = {0, 0};
  // A TLS session's plaintext. Socket, addresses, origin, times and base are those of its carrier, where that is known.
  bool tls = false;
  bool from_start = false;  // offset 0 is the first byte of plaintext
  formats::TlsSessionId session = 0;
  formats::TlsLibrary library = formats::TlsLibrary::unknown;
  ConnectionId carrier = 0;  // the connection end whose bytes carry it; 0: not known
  BindingHow how = BindingHow::none;
};

// Counts of TLS sessions that moved plaintext, by how they were bound to sockets.
struct TlsSessions {
  std::uint64_t seen = 0;  // those without plaintext, too
  std::uint64_t sessions = 0, nested = 0, lengths = 0, unbound = 0;
  std::uint64_t bytes = 0, unbound_bytes = 0;  // of plaintext
};

std::string_view name_of(BindingHow how);               // "nested", "lengths", "none"
std::string_view name_of(formats::TlsLibrary library);  // "openssl", …

// "refused", "timed out", … for the errno that ended it.
std::string_view cause_of(int error);
// "10.0.0.1:80", "[::1]:80", "unix:/run/x.sock", "unix:" where unnamed.
std::string endpoint(const Connection& connection, bool remote);

}  // namespace tailcap::model
