// What a request waited for, what that waited for meanwhile, and so on.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "analyze/model/label.h"
#include "analyze/model/partition.h"

namespace tailcap::model {

// The first step is what the request itself waited for; each further one is what the one behind the step before it did
// in exactly that time.
struct Chain {
  std::vector<Culprit> steps;   // their times are not set
  std::int64_t time = 0;        // ns of the request
  std::uint32_t several = 0;    // bits of steps: there were others of the same route beside the one in `steps`
  bool beyond_capture = false;  // who was behind the last step, or what they did, is not recorded
  Label root() const { return steps.back().label; }
  bool operator==(const Chain&) const = default;
};

// Chains of the requests that take part in a comparison. The times of a request's chains sum to the time under labels
// that wait for somebody, in stretches of at least 0.1 ms.
using Chains = std::map<ExchangeId, std::vector<Chain>>;

// The label waits for another request, thread or service.
constexpr bool waits_for_somebody(Label label) {
  switch (label) {
    case Label::q_accept:
    case Label::q_pool:
    case Label::q_loop:
    case Label::q_hol_h1:
    case Label::send_sndbuf:
    case Label::down_send:
    case Label::down_wait:
    case Label::down_body:
    case Label::lock_futex:
    case Label::lock_file:
    case Label::lock_session:
    case Label::lock_go_mutex:
    case Label::lock_go_chan:
    case Label::lock_go_select:
    case Label::lock_go_wait:
      return true;
    default:
      return false;
  }
}

}  // namespace tailcap::model
