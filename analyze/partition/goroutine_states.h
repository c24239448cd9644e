// What a goroutine did while its states were recorded, each when it began: the deep profile.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analyze/partition/draft/calls.h"
#include "analyze/partition/draft/draft.h"

namespace tailcap::partition {

// Labels the request from its first byte read on, as the goroutine's states tell. The parts that no state covers.
std::vector<TimeSpan> add_goroutine_states(const DraftContext& k, std::uint64_t goroutine, const Log<Sighting>& seen,
                                           std::span<const Call> calls, Draft& draft);

// The goroutine, or one that it made, connects meanwhile, and no request was ever sent on that connection.
void add_connecting(const ProcessLog& process, std::uint64_t goroutine, Nanos from, Nanos to, Draft& draft);
// A wait on a socket that carries no requests.
void add_peer(const DraftContext& k, formats::SocketId socket, Nanos from, Nanos to, model::Evidence evidence,
              Draft& draft);

}  // namespace tailcap::partition
