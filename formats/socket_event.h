// What happened to sockets.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "formats/io_terms.h"
#include "formats/time.h"

namespace tailcap::formats {

// A completed send or receive.
//
// position is the stream position of the first byte moved. On TCP it is the 32-bit sequence number (the reader does not
// unwrap it). On UNIX sockets it is the count of bytes moved in this direction since the socket was first seen.
// Datagram sockets, which are recorded only for name servers, count the same way: each Io is one datagram. length 0
// with Direction::in and error 0 is the end of the stream.
//
// One call may be recorded in several parts, one event each, with the same time and thread. Each part covers the next
// bytes of the call, so the captured bytes need not be one piece at the start. All parts but the first are marked
// continued.
struct Io {
  SocketId socket = 0;
  Direction direction = Direction::out;
  Payload payload = Payload::off;
  bool truncated = false;     // a seqpacket message whose rest was discarded by a short read
  std::uint16_t syscall = 0;  // x86-64 number of the call in progress; 0xffff: none
  std::uint16_t missed = 0;   // events of this socket lost since the last one seen, saturating
  std::int32_t error = 0;     // errno of a failed call (never EAGAIN, EINTR), else 0
  std::uint32_t length = 0;   // bytes moved
  std::uint64_t position = 0;
  std::string_view head{};  // the first head.size() bytes moved
  std::string_view tail{};  // the last tail.size() bytes moved; never overlaps head
  bool continued = false;   // a further part of the call that the previous event of this socket and direction recorded
  bool operator==(const Io&) const = default;
};

// A TCP segment with data reached the socket; position is its sequence number. In order or not, new or not.
struct Arrival {
  SocketId socket = 0;
  std::uint32_t position = 0;
  std::uint32_t length = 0;
  std::uint16_t missed = 0;
  bool operator==(const Arrival&) const = default;
};

// A TCP segment was sent again. 0 in the last three: not known.
struct Retransmit {
  SocketId socket = 0;
  std::uint32_t position = 0;
  std::uint32_t length = 0;
  std::uint32_t interface = 0;  // index of the route's, in the network namespace of the socket
  std::uint32_t segment = 0;    // bytes of payload in the largest packet that it was cut into
  std::uint32_t path_mtu = 0;   // bytes: what the kernel takes for the MTU of the path, after ICMP
  bool operator==(const Retransmit&) const = default;
};

// A TCP reset was sent (out) or received (in).
struct Reset {
  SocketId socket = 0;
  Direction direction = Direction::in;
  bool operator==(const Reset&) const = default;
};

// The kernel's numbers (include/net/tcp_states.h).
enum class TcpState : std::uint8_t {
  none = 0,
  established = 1,
  syn_sent = 2,
  syn_recv = 3,
  fin_wait1 = 4,
  fin_wait2 = 5,
  time_wait = 6,
  close = 7,
  close_wait = 8,
  last_ack = 9,
  listen = 10,
  closing = 11,
  new_syn_recv = 12,
  left_out = 14,  // none of TCP's: recorded before, the connection is not from here on (UNIX sockets, too)
};

// A TCP socket changed state. Event::thread is meaningful only where by_thread is set: most transitions
// happen in softirq, where the running thread has nothing to do with the socket.
struct StateChange {
  SocketId socket = 0;
  TcpState from = TcpState::none;
  TcpState to = TcpState::none;
  bool by_thread = false;
  std::int32_t error = 0;  // sk_err at this moment: ECONNREFUSED, ETIMEDOUT, ECONNRESET, …
  // A thread closes an accepted connection: the connections of its listener that are not accepted. 0: none, or not
  // known.
  std::uint32_t queue = 0;
  Duration rtt{};  // smoothed so far; as it is established, that of the handshake. 0: not measured
  bool operator==(const StateChange&) const = default;
};

// Event::thread took a connection from its listener. Only recorded by hook tier C.
struct Accept {
  SocketId socket = 0;
  std::int32_t descriptor = -1;
  bool operator==(const Accept&) const = default;
};

enum class Family : std::uint8_t { unknown = 0, unix_domain = 1, inet = 2, inet6 = 10 };
enum class SocketType : std::uint8_t { unknown = 0, stream = 1, datagram = 2, seqpacket = 5 };

// How the socket came into being, if that was seen.
enum class Origin : std::uint8_t {
  unknown = 0,
  connected = 1,  // this side connected
  accepted = 2,   // from a listener
  listener = 3,
  existed = 4,  // was open when recording began: its beginning was not seen
};

struct Address {
  std::array<std::uint8_t, 16> bytes{};  // network order; IPv4 in the first four
  std::uint16_t port = 0;                // host order
  bool operator==(const Address&) const = default;
};

// The properties of a socket: recorded when it is first seen, and for every open socket in a keyframe.
struct SocketInfo {
  SocketId socket = 0;
  Family family = Family::unknown;
  SocketType type = SocketType::unknown;
  Origin origin = Origin::unknown;
  TcpState state = TcpState::none;
  Address local{}, remote{};
  std::uint32_t next_out = 0;       // TCP: sequence number of the next byte to be sent (write_seq)
  std::uint32_t next_in = 0;        // TCP: sequence number of the next byte to be read (copied_seq)
  std::uint64_t inode = 0;          // as in /proc/PID/fd
  std::uint64_t peer_inode = 0;     // UNIX: inode of the other end; 0: unknown
  std::uint32_t net_namespace = 0;  // inode of the network namespace
  std::string_view path{};          // UNIX: bound path of either end, abstract names with a leading '@'
  // The queue of a listener: of the listener itself, or of the one that this connection came from, when it was
  // established. 0: not known, and the numbers mean nothing.
  SocketId listener = 0;
  std::uint32_t queue = 0;        // connections that were not accepted yet, this one included
  std::uint32_t queue_limit = 0;  // it is full with more than this
  std::uint32_t drops = 0;        // attempts to connect that it has dropped since it listens
  Duration rtt{};                 // TCP: smoothed so far; 0: not measured
  std::uint32_t interface = 0;    // index of the route's, in net_namespace; 0: not known
  // The process that connected to an accepted UNIX socket, or one that is not recorded and has the other end of a TCP
  // connection within the machine. 0: not known, or it has ended.
  std::uint32_t peer_pid = 0;
  bool operator==(const SocketInfo&) const = default;
};

}  // namespace tailcap::formats
