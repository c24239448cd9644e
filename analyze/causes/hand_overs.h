// Values that went from one goroutine to another through channels: who took what from whom.
//
// A value in a buffer is known by its slot: who takes it has what was put there last. That is exact, as the events of a
// channel are in order; what was lost or happened before the recording leaves a giver of 0.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "formats/event.h"

namespace tailcap::causes {

struct ChannelTransfer {
  std::uint64_t goroutine = 0;
  formats::Time at = formats::kNoTime, given = formats::kNoTime;
  std::uint64_t giver = 0;    // 0: not known
  std::uint64_t channel = 0;  // 0: not known
};

class HandOvers {
 public:
  static constexpr std::size_t kMaxKept = 1u << 21;  // of all processes; what is later is not known

  void push(const formats::Event& event);
  // Once for each process: all that its goroutines took, in order.
  std::vector<ChannelTransfer> take(std::uint32_t pid);
  // Nothing is known of what happens from then on.
  formats::Time horizon() const { return horizon_; }

 private:
  struct Step {
    formats::Time at = formats::kNoTime;
    std::uint64_t goroutine = 0;
    formats::GoChannel what;
  };

  std::unordered_map<std::uint32_t, std::vector<Step>> steps_;  // by process
  std::size_t kept_ = 0;
  formats::Time horizon_ = formats::kMaxTime;
};

}  // namespace tailcap::causes
