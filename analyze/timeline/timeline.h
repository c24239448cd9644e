// Cuts an exchange at its milestones into phases, and says what its thread did meanwhile. Both partitions are exact.
//
// Phases. Server: from the arrival of the request's first byte (or the read that took it: arrival_unknown) over the
// reads of its first and last byte and the sends of the response's first and last. Client: from the send of the
// request's first byte over the send of its last, the arrival and the read of the response's first byte to the read of
// its last. A send is stamped when it is done, which can be after the peer has answered; a response can begin before
// the request has ended. Milestones are therefore clamped to be monotone: a phase is never negative.
//
// first_byte is what the end itself experienced: server, until the application sent the response's first byte; client,
// until that byte arrived.
//
// Thread time. Off-CPU intervals come when they are over, so a wait can be reported after the exchange it lies in was
// measured, and a loss only with the thread's next wait. settle() puts both right at the end.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "analyze/flow/exchange.h"
#include "analyze/flow/findings.h"
#include "analyze/flow/request.h"

namespace tailcap::timeline {

// What a thread did in [from, to).
struct Stretch {
  formats::Time from = formats::kNoTime, to = formats::kNoTime;
  flow::ThreadTime what = flow::ThreadTime::unknown;
};

class Timeline {
 public:
  Timeline();
  ~Timeline();
  // Off-CPU intervals, starts, exits and losses of threads; everything else is ignored.
  void push(const formats::Event& event);
  // Fills start, duration, first_byte, phases, thread_time and their has_… flags; adds taints.
  void measure(const flow::Exchange& exchange, flow::Request& row);
  // No later exchange will begin before this: waits that ended earlier may be forgotten.
  void forget_before(formats::Time t);
  // Once, after the last event: corrects thread times by what became known too late. rows: every row that was
  // measured, in the order of measuring.
  void settle(flow::RequestTable& table);
  // What the thread of this row does in [start, end), as far as is known now: a partition in order of time. Empty
  // where measure() found no thread time.
  std::vector<Stretch> stretches(const flow::Request& row) const;
  const flow::Findings& findings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::timeline
