#include "analyze/partition/history/served_elsewhere.h"

#include <algorithm>

namespace tailcap::partition {
namespace {

// A thread that waits in accept takes a connection sooner.
constexpr Nanos kQueued = 1'000'000;
constexpr std::size_t kMostMoves = 4096;  // of a thread, while one connection is in the queue

// The request for which the thread worked when it moved these bytes.
model::ExchangeId asked_by(const Observed& observed, const BytesMoved& moved) {
  const Stranger* asker = observed.stranger(observed.other_end(moved.socket));
  return asker ? asker->asker : model::ExchangeId{};
}

// [from, taken): one stretch for each connection that the thread had before.
void add_queue(const Observed& observed, const Stranger& end, formats::SocketId own, Nanos from,
               std::vector<ServedElsewhere>& out) {
  const ThreadLog* log = observed.thread(end.taker);
  Nanos at = from;
  if (log) {
    const BytesMoved* m = log->elsewhere.first_after(from);
    for (std::size_t n = 0; m != log->elsewhere.end() && m->time < end.taken && n < kMostMoves; ++m, ++n) {
      const Stranger* had = observed.stranger(m->socket);
      // With its first bytes on a connection the thread takes it. Until then it had none, or another one.
      if (m->socket == own || m->time <= at || !had || had->taken == m->time) continue;
      const model::ExchangeId before = asked_by(observed, *m);
      if (!out.empty() && out.back().before == before)
        out.back().to = m->time;
      else
        out.push_back({at, m->time, true, end.taker, before});
      at = m->time;
    }
  }
  if (at < end.taken) out.push_back({at, end.taken, true, end.taker, {}});
}

}  // namespace

std::vector<ServedElsewhere> served_elsewhere(const Observed& observed, formats::SocketId socket, Nanos from,
                                              Nanos to) {
  std::vector<ServedElsewhere> out;
  const formats::SocketId own = observed.other_end(socket);
  const Stranger* end = observed.stranger(own);
  const Stranger* near = observed.stranger(socket);
  const ThreadLog* log = end && end->taker != 0 ? observed.thread(end->taker) : nullptr;
  if (!log || !near || !near->asks || log->multiplexes || end->taken >= to) return {{from, to, false, 0, {}}};
  if (end->taken - from >= kQueued) {
    add_queue(observed, *end, own, from, out);
    from = end->taken;
  }
  if (from < to) out.push_back({from, to, false, end->taker, {}});
  return out;
}

}  // namespace tailcap::partition
