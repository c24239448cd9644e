// Finds which server-side request of the same process made each client-side one.
//
// Evidence, strongest first, weighed at the end, when all is known:
//   trace_id  exactly one live request of the process carries the same trace id; of several, the one whose span the
//   call
//             names as its parent (B3, Jaeger): certain.
//   thread    exactly one request is live on the thread that sent the call. Certain where that thread did nothing else
//             from reading the request to answering it: no byte of another exchange, never a wait for several
//             descriptors at once, and the call was made and waited for inside, blocked in a read of one descriptor.
//             Likely, if another thread read the request, but this one answers it next: a worker to which it was
//             handed; and where it waits for several descriptors, but was seen blocked in a read of the request's
//             connection, as no event loop is.
//   content   one live request says what the call says, too, and no other does (causes/likeness.h): likely. Several
//   with the
//             call's target are undecided, and so is a call that says nothing where others of its kind do.
//   turn      an event loop: between two of its waits the thread read bytes of one live request (or of a call of one)
//             and then sent the call, or began to connect for it: likely. Where it read of several: the one whose call
//             was the last on this connection, or the only one that waits for no call, or the one that holds the
//             connection (causes/parents/pools.h); else undecided. So is a call whose connection may have changed
//             hands; likewise calls of a kind that the loop makes without having read anything.
//   goroutine in a Go program, where threads and turns say nothing: the goroutine that works on a request made the
//   call, or
//             one that descends from it (causes/carriers.h, causes/descent.h). Certain where both are, and nothing was
//             lost.
//   channel   likewise: the goroutine had taken something to do from a channel, which the request's gave it
//   (causes/jobs.h).
//   message     a delivery of a broker: the request that published its message (causes/parents/deliveries.h): certain.
// Missing events never make a parent certain. Where a lost event could point to another request (a read, a wait, an
// answer, a channel transfer between the evidence and the call), the parent is not known. Beyond the limits below, no
// parent is named.
#pragma once

#include <memory>

#include "analyze/causes/goroutines.h"
#include "analyze/model/request.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::causes {

class Parents {
 public:
  static constexpr std::size_t kMaxNoted = 1u << 19;  // exchanges that wait to be weighed; later ones have no parent
  static constexpr std::size_t kMaxTurns = 1u << 20;  // waits of event loops; the oldest are forgotten

  // goroutines: gets every event before this does, and must outlive it.
  explicit Parents(Goroutines& goroutines);
  ~Parents();
  // Waits and losses; every event.
  void push(const formats::Event& event);
  // Every exchange with its row, after the events that it is made of. socket: of its connection, or of the one that
  // carries it; 0: not known.
  void push(const model::Exchange& exchange, const model::Request& row, const model::TextPool& texts,
            formats::SocketId socket);
  // Once: fills table.causes. Uses table.setups.
  void settle(model::RequestTable& table);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::causes
