// Gives every nanosecond of a window one label: the first in the chain of the conditions that did not hold then.
//
// A condition's place in the chain is the rank of its label (model::rank_of). Within a rank, labels go by number (`cpu`
// last), then measured before inferred. Lost evidence precedes everything. Where no condition is given, the carrier of
// the request is not known.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "analyze/model/label.h"
#include "analyze/partition/history/log.h"

namespace tailcap::partition {

// What kept the request from going on in [from, to).
struct Condition {
  Nanos from = 0, to = 0;
  model::Label label = model::Label::unexplained_nocarrier;
  model::Evidence evidence = model::Evidence::measured;
  std::uint32_t behind = 0;  // the blocker: a number that the caller assigns and gets back; 0: none
  bool operator==(const Condition&) const = default;
};

// A partition of [from, to) in order of time; neighbours differ. The conditions may be in any order.
std::vector<Condition> sweep(Nanos from, Nanos to, std::span<const Condition> conditions);

// The same for many requests; its memory is used again.
class Sweeper {
 public:
  void sweep(Nanos from, Nanos to, std::span<const Condition> conditions, std::vector<Condition>& out);

 private:
  std::vector<const Condition*> sorted_, open_;
};

}  // namespace tailcap::partition
