// Which events of a block are made. The others are passed over: that costs a fraction, and most blocks of a long
// capture hold little of what is asked.
#pragma once

#include <cstdint>

#include "formats/event.h"

namespace tailcap::formats {

// Kinds that come in great numbers. Events of all other kinds are always made.
constexpr bool may_be_passed_over(Kind kind) {
  switch (kind) {
    case Kind::send:
    case Kind::receive:
    case Kind::arrival:
    case Kind::retransmit:
    case Kind::off_cpu:
    case Kind::tls_send:
    case Kind::tls_receive:
    case Kind::tls_step:
    case Kind::go_runtime:
    case Kind::go_state:
    case Kind::go_call:
    case Kind::go_channel:
    case Kind::go_allocations:
    case Kind::malloc_calls:
    case Kind::stall:
    case Kind::sample:
    case Kind::file_call:
      return true;
    default:
      return false;
  }
}

class EventChoice {
 public:
  enum class Answer : std::uint8_t {
    take,
    pass,        // this event
    pass_block,  // and all that follow in this block: on its socket, until take() has an event of that socket; of its
                 // kind, where wants() was given no socket
  };

  virtual ~EventChoice() = default;
  // Asked before an event that may be passed over. socket: of send, receive, arrival, retransmit; otherwise 0.
  virtual Answer wants(Kind kind, SocketId socket) = 0;
  // An event that was made, before the next is asked for. Views in it live as long as the call.
  virtual void take(const Event& event) = 0;
};

}  // namespace tailcap::formats
