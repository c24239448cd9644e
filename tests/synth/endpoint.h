// One end of a synthetic connection: every call adds the events that the recorder would make.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "formats/socket_event.h"

namespace tailcap::synth {

class Scenario;

struct Opening {
  formats::Thread thread{100, 100};
  formats::Family family = formats::Family::inet;
  formats::SocketType type = formats::SocketType::stream;
  formats::Origin origin = formats::Origin::accepted;  // existed: recording began while it was open
  bool described = true;                               // false: the SocketInfo was lost
  std::string local = "10.0.0.1:80";  // IPv4 only as text; IPv6 is made from it by mapping into 2001:db8::/96
  std::string remote = "10.0.0.2:40000";
  std::uint32_t out = 1000, in = 5000;  // next sequence numbers (UNIX: counted from 0)
  std::uint64_t inode = 0, peer_inode = 0;
  std::uint32_t net_namespace = 4026531840;
  std::string path;
};

class Endpoint {
 public:
  Endpoint(Scenario& scenario, formats::Duration at, const Opening& opening);

  // A segment with the next n bytes that have not arrived yet. skip: n bytes further on (out of order).
  Endpoint& arrive(formats::Duration at, std::uint32_t n, std::uint32_t skip = 0);
  // A segment at a stream offset (from the opening), whatever arrived before.
  Endpoint& arrive_at(formats::Duration at, std::uint64_t offset, std::uint32_t n);
  Endpoint& read(formats::Duration at, std::string_view bytes);
  Endpoint& receive(formats::Duration arrived, formats::Duration read_at, std::string_view bytes);
  Endpoint& send(formats::Duration at, std::string_view bytes);
  // Bytes that were never in a user buffer (sendfile, splice): length only.
  Endpoint& send_file(formats::Duration at, std::uint32_t n);
  Endpoint& read_unseen(formats::Duration at, std::uint32_t n);
  // A program of the kernel added n bytes to the send before.
  Endpoint& add_to_send(formats::Duration at, std::uint32_t n);
  // Moved, but the event was lost; the next event of this socket says so.
  Endpoint& lose_send(std::uint64_t n);
  Endpoint& lose_read(std::uint64_t n);
  Endpoint& lose_arrival(std::uint32_t n);
  Endpoint& retransmit(formats::Duration at, std::uint32_t n);

  Endpoint& state(formats::Duration at, formats::TcpState from, formats::TcpState to, int error = 0);
  Endpoint& eof(formats::Duration at);          // a read of 0; on TCP the FIN arrived before
  Endpoint& fin_arrives(formats::Duration at);  // ESTABLISHED → CLOSE_WAIT (FIN_WAIT2 → CLOSE)
  Endpoint& shut_down(formats::Duration at);    // own FIN: FIN_WAIT1, or LAST_ACK after the peer's
  Endpoint& close(formats::Duration at, int error = 0);
  Endpoint& reset(formats::Duration at, formats::Direction direction);
  Endpoint& fail(formats::Duration at, formats::Direction direction, int error);

  Endpoint& by(formats::Thread thread) {
    thread_ = thread;
    return *this;
  }
  Endpoint& of(std::uint64_t goroutine) {
    goroutine_ = goroutine;
    return *this;
  }
  formats::SocketId socket() const { return socket_; }
  formats::Thread thread() const { return thread_; }
  std::uint64_t sent() const { return sent_; }
  std::uint64_t read_so_far() const { return read_; }

  formats::SocketInfo info() const;  // as a keyframe would give it now

 private:
  std::uint64_t position(formats::Direction direction, std::uint64_t offset) const;
  void io(formats::Duration at, formats::Direction direction, std::string_view bytes, std::uint32_t length,
          formats::Payload payload);
  bool tcp() const { return opening_.family != formats::Family::unix_domain; }
  std::uint16_t take_missed();

  Scenario& scenario_;
  Opening opening_;
  formats::SocketId socket_;
  formats::Thread thread_;
  std::uint64_t goroutine_ = 0;
  formats::TcpState state_;
  std::uint64_t sent_ = 0, read_ = 0, arrived_ = 0;
  std::uint16_t missed_ = 0;
};

formats::Address address(const std::string& text, formats::Family family);

}  // namespace tailcap::synth
