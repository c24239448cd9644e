// Who served the other end of a socket that carries no requests, while something waited for its answer: a thread of a
// recorded process (a worker of PHP-FPM, a server whose protocol is not read). Before a thread took the connection it
// was in the listener's queue, and that thread worked on what it had taken before.
#pragma once

#include <vector>

#include "analyze/partition/history/observed.h"

namespace tailcap::partition {

// [from, to) of the wait.
struct ServedElsewhere {
  Nanos from = 0, to = 0;
  bool queued = false;       // no thread had taken the connection
  std::uint32_t tid = 0;     // the thread that takes it, or has it; 0: not known
  model::ExchangeId before;  // queued: the request for which that thread worked then; connection 0: not known
};

// A partition of [from, to).
std::vector<ServedElsewhere> served_elsewhere(const Observed& observed, formats::SocketId socket, Nanos from, Nanos to);

}  // namespace tailcap::partition
