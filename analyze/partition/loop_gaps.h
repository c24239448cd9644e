// What a request of an event loop waited for while the loop did not work on it.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "analyze/partition/draft/calls.h"
#include "analyze/partition/draft/draft.h"
#include "analyze/partition/orphans.h"
#include "analyze/partition/workers.h"

namespace tailcap::partition {

class LoopGaps {
 public:
  // own: the request's turns, among those of the range. All must outlive it.
  LoopGaps(const DraftContext& k, const ThreadLog& log, const LoopTimeline& timeline, std::uint32_t tid,
           const LoopTimeline::Range& range, const LoopTimeline::Own& own, Draft& draft)
      : k_(k),
        log_(log),
        timeline_(timeline),
        tid_(tid),
        range_(range),
        own_(own),
        draft_(draft),
        orphans_(k, log, own, draft),
        workers_(k, log, timeline, range, own, tid, draft) {}

  // Labels [from, to), between two of its turns. In order of time.
  void add(Nanos from, Nanos to, std::span<const Call> calls);
  // When other threads of the process worked on it, in order of time.
  const std::vector<TimeSpan>& worked() const { return worked_; }

 private:
  // For more of the request. What arrives on a connection of several streams can be another's.
  void upload(Nanos from, Nanos to);
  // For an answer of its calls, or for something else.
  void waited(Nanos from, Nanos to, std::span<const Call> calls);
  // The response was begun. The parts of [from, to) in which the client's HTTP/2 window did not hold more of it back.
  std::vector<TimeSpan> window_open(Nanos from, Nanos to);
  // The loop went on to other things after `at` because the socket's buffer was full.
  bool filled(Nanos at) const;
  // More could not be written, until the loop's last wake-up.
  void unwritten(Nanos from, Nanos to);
  // No call was under way: a timer or an unseen event, until the wake-up after which the request went on.
  void unknown(Nanos from, Nanos to, std::span<const Call> calls);
  // The loop had begun to connect in the request's turn, and the socket never carried a request.
  void connecting(Nanos from, Nanos until);
  // The loop wrote to a socket without requests in the request's turn, and read from it in the turn in which the
  // request went on: it likely waited for that answer. Several such sockets: they have one other end, or none is named.
  bool elsewhere(Nanos from, Nanos to, const LoopTurn& next, const OffCpuWait& idle);
  // In a turn of the request that began before `until`.
  bool wrote(formats::SocketId socket, Nanos until) const;
  // The request goes on with a call on a connection on which the loop has, since `from`, read an answer for another
  // request: it waited for that connection.
  std::optional<model::ExchangeId> connection_of(Nanos from, const LoopTurn& next, std::span<const Call> calls) const;
  // The turn begins with a read of the request's own.
  bool reads_own(const LoopTurn& t) const;
  // The request's turn that ends a gap at `to`; nullptr: none.
  const LoopTurn* resumed(Nanos to) const;
  // Until then the loop did nothing for others since it woke up.
  bool goes_first(const LoopTurn* next, const OffCpuWait& idle) const;
  // Nor did it read anything.
  bool reads_before(const LoopTurn* next, const OffCpuWait& idle) const;
  // When the timer expired for which the request waited; 0: it did not wait for one, as far as is known.
  Nanos timer(const LoopTurn* next, const OffCpuWait& idle) const;
  model::Label woken_by(const OffCpuWait& idle, const LoopTurn* next) const;

  const DraftContext& k_;
  const ThreadLog& log_;
  const LoopTimeline& timeline_;
  const std::uint32_t tid_;
  const LoopTimeline::Range& range_;
  const LoopTimeline::Own& own_;
  Draft& draft_;
  Orphans orphans_;
  const Workers workers_;
  std::vector<TimeSpan> worked_;
};

}  // namespace tailcap::partition
