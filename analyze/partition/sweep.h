// Cuts a window so that every nanosecond has one label: of the conditions that did not hold then, the first in the
// chain.
//
// A condition's place in the chain is the rank of its label (flow::rank_of); labels of one rank go by their number
// (`cpu` last), then what is measured before what is inferred. Lost evidence is before all; where no condition is
// given, nobody is known to have carried the request.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analyze/flow/label.h"

namespace tailcap::partition {

using Nanos = std::int64_t;  // of the capture's clock

// What kept the request from going on in [from, to).
struct Condition {
  Nanos from = 0, to = 0;
  flow::Label label = flow::Label::unexplained_nocarrier;
  flow::Evidence evidence = flow::Evidence::measured;
  std::uint32_t behind = 0;  // who or what was behind it: a number that the caller gives and gets back; 0: nobody
  bool operator==(const Condition&) const = default;
};

// A partition of [from, to) in order of time, neighbours different. The order of the conditions does not matter.
std::vector<Condition> sweep(Nanos from, Nanos to, std::span<const Condition> conditions);

}  // namespace tailcap::partition
