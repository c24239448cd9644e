// The instants between which a request's phases lie, clamped to a possible order.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "analyze/flow/exchange.h"
#include "analyze/flow/request.h"

namespace tailcap::timeline {

struct Milestones {
  std::int64_t start = 0;                             // 0: unknown
  std::optional<std::int64_t> end;                    // unset: its last byte is not known
  std::optional<std::int64_t> at_least;               // ns: its beginning was not seen, and how long it was seen
  std::optional<std::int64_t> first_byte;             // ns from start
  std::optional<std::array<std::int64_t, 6>> phases;  // in the order of flow::phases_of; sum == end - start
  flow::Taints taints = 0;
  bool reordered = false;  // instants in impossible order were clamped
};

Milestones milestones(const flow::Exchange& exchange);

}  // namespace tailcap::timeline
