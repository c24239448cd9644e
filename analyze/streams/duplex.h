// Both directions of one connection end, in a possible order.
//
// A held piece in one direction delays later pieces in the other: a reader that saw a response before its request would
// pair it with another one.
#pragma once

#include "analyze/streams/direction.h"

namespace tailcap::streams {

struct Duplex {
  explicit Duplex(model::ConnectionId id) : in(id, model::Direction::in, out), out(id, model::Direction::out, in) {}

  DirectionStream& operator[](model::Direction d) { return d == model::Direction::out ? out : in; }
  // Hands on what need not wait (any more), and ends what has ended. `all`: nothing more will come.
  void advance(bool all, Shared& shared, Output& output);
  bool ended() const { return in.ended() && out.ended(); }
  // When advance() has something to do although nothing came; kNoTime: never.
  model::Time wakes_at() const;

  DirectionStream in, out;
};

}  // namespace tailcap::streams
