// The calls that a request made to other services, each with the stages that it went through.
//
// A client-side request is its own call. Where several calls were under way, the one that ended last owns the wait.
// Walking back from the request's end, the next on the path is the last that ended before that one began. All others
// ran beside the path.
#pragma once

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "analyze/partition/draft/draft.h"

namespace tailcap::partition {

struct Call {
  Window w;
  model::Evidence linked = model::Evidence::measured;  // how the parent is known
  Nanos dns_from = 0, dns_to = 0, connect_from = 0, connect_to = 0, tls_from = 0, tls_to = 0;
  Nanos began = 0;  // with the connection's set-up
  Nanos sent = 0, arrived = 0, read = 0;
  Nanos end = 0;
  std::uint32_t sender = 0, reader = 0;  // threads; 0: not known
  std::uint64_t goroutine = 0;           // that sent it,
  std::uint64_t read_by = 0;             // and that read the answer
  std::optional<model::Label> setup;     // it is no more than this stage of a set-up, which failed
  bool on_path = false;
  Nanos slack = 0;        // off the path: how much later it could have ended
  std::uint32_t who = 0;  // its number in the draft
};

// This row as a call. limit: the latest possible end, used where the end is not known.
Call call_of(const DraftContext& k, std::uint32_t row, Nanos limit, Draft& draft);
// The calls of a server-side request, or a client-side request itself; by start.
void find_calls(const DraftContext& k, Draft& draft, std::vector<Call>& calls);
// Adds the wait for this call in [from, to), by the call's stages.
void add_down(const DraftContext& k, const Call& call, Nanos from, Nanos to, model::Evidence evidence, Draft& draft);
using TimeSpans = boost::container::small_vector<TimeSpan, 4>;
// The same for all calls in [from, to); of concurrent ones, only for the call on the path. Returns the intervals that
// no call covers.
TimeSpans add_calls(const DraftContext& k, std::span<const Call> calls, Nanos from, Nanos to, Draft& draft);
// Adds the wait for the other end of a socket without requests: under `label` from when a thread there has taken the
// connection, as far as that is known. peer: which of Observed::peers(); 0: not known.
void add_elsewhere(const DraftContext& k, formats::SocketId socket, Nanos from, Nanos to, model::Label label,
                   model::Evidence evidence, std::uint32_t peer, Draft& draft);
// Adds a wait for such a socket.
void add_peer(const DraftContext& k, formats::SocketId socket, Nanos from, Nanos to, model::Evidence evidence,
              Draft& draft);
// Adds the attempts to connect on which no request was ever sent: those in [from, to) for which meant(attempt) holds.
template <class Meant>
void add_connecting(const ProcessLog& process, Nanos from, Nanos to, Draft& draft, Meant meant) {
  process.attempts.each(from, to, [&](const Attempt& a) {
    if (meant(a))
      draft.add(std::max(a.time, from), std::min(a.to, to), model::Label::down_connect, model::Evidence::inferred,
                a.peer != 0 ? draft.who(a.peer) : 0);
  });
}
// Adds the wait for the next bytes on a connection, from `from` until they arrive or until `to`. hole: the label from
// the moment at which later bytes are there, or bytes that `sender` (the other end, where recorded) sent again were
// missing. Returns the arrival (from: the bytes were there already; to: they did not arrive before `to`).
Nanos add_awaited_bytes(const DraftContext& k, model::ConnectionId connection, Nanos from, Nanos to, model::Label label,
                        model::Label hole, model::Evidence evidence, std::uint32_t who, Draft& draft,
                        model::ConnectionId sender = 0);

// The client of a served request, as who is behind a wait for it: its host, and the thread where that is recorded, or
// the process where the kernel names it. 0: not known.
std::uint32_t client_of(const DraftContext& k, Draft& draft);

}  // namespace tailcap::partition
