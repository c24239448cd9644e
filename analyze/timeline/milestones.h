// The instants between which a request's phases lie, clamped to a possible order.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "analyze/model/request.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::timeline {

struct Milestones {
  std::int64_t start = 0;                  // 0: unknown
  std::optional<std::int64_t> end;         // unset: its last byte is not known
  std::optional<std::int64_t> at_least;    // ns: its beginning was not seen, or it broke off: how long it was seen
  std::optional<std::int64_t> first_byte;  // ns from start
  std::optional<std::array<std::int64_t, 6>> phases;  // in the order of model::phases_of; sum == end - start
  model::Taints taints = 0;
  bool reordered = false;  // instants in impossible order were clamped
};

Milestones milestones(const model::Exchange& exchange);

}  // namespace tailcap::timeline
