// The calls that a request made to other services, each with what had to happen before it could go on.
//
// A client-side request is its own call. Of calls under way at the same time, the one that ended last owns the wait;
// walking back from the request's end, what ended before that one began is next. The others ran beside the path.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analyze/partition/draft.h"

namespace tailcap::partition {

struct Call {
  Window w;
  flow::Evidence linked = flow::Evidence::measured;  // how sure it is whose call this is
  Nanos dns_from = 0, dns_to = 0, connect_from = 0, connect_to = 0, tls_from = 0, tls_to = 0;
  Nanos began = 0;  // with the connection's set-up
  Nanos sent = 0, arrived = 0, read = 0;
  Nanos end = 0;
  std::uint32_t sender = 0, reader = 0;  // threads; 0: not known
  std::uint64_t goroutine = 0;           // that sent it,
  std::uint64_t read_by = 0;             // and that read the answer
  bool on_path = false;
  Nanos slack = 0;        // off the path: so much later it could have ended
  std::uint32_t who = 0;  // in the draft
};

// The call that this row is. limit: until when it can have lasted where its end is not known.
Call call_of(const DraftContext& k, std::uint32_t row, Nanos limit, Draft& draft);
// Of a server-side request those that it caused, of a client-side one itself; by their beginning.
std::vector<Call> calls_of(const DraftContext& k, Draft& draft);
// What of [from, to) was spent waiting for this call, by what it was doing.
void add_down(const DraftContext& k, const Call& call, Nanos from, Nanos to, flow::Evidence evidence, Draft& draft);
// The same for all of them in [from, to), of those under way at the same time for the one on the path. Returns what of
// it no call covers.
std::vector<TimeSpan> add_calls(const DraftContext& k, std::span<const Call> calls, Nanos from, Nanos to, Draft& draft);
// Waiting for the next bytes on a connection from `from` on: until they arrive, if that is before `to`. hole: the label
// from when later bytes are there, or what `sender` (the other end, where it was recorded) sent again was missing.
// Returns when they had arrived (from: they were there already); to: not before that.
Nanos add_awaited_bytes(const DraftContext& k, flow::ConnectionId connection, Nanos from, Nanos to, flow::Label label,
                        flow::Label hole, flow::Evidence evidence, std::uint32_t who, Draft& draft,
                        flow::ConnectionId sender = 0);

}  // namespace tailcap::partition
