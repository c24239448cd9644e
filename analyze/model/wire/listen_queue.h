// A listener's queue of connections that are established and not accepted, where it was full or dropped attempts.
#pragma once

#include <cstdint>
#include <string>

#include "formats/time.h"

namespace tailcap::model {

// The numbers are those at which the kernel was looked at, so they are lower bounds: at every connection as it was
// established, and at the listener in keyframes.
struct ListenQueue {
  std::string address;    // "10.0.0.1:80": of the connections that it accepted, or its own
  std::uint32_t pid = 0;  // that has it or accepts from it; 0: not known
  std::string comm;
  std::uint32_t limit = 0;                                       // it is full with more connections than this
  std::uint32_t longest = 0;                                     // connections that were not accepted
  std::uint64_t established = 0;                                 // connections that came through it
  std::uint64_t dropped = 0;                                     // at most: attempts to connect, while recorded
  formats::Time from = formats::kNoTime, to = formats::kNoTime;  // between which it dropped them

  bool full() const { return longest > limit; }
};

}  // namespace tailcap::model
