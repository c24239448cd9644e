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

}  // namespace tailcap::partition
