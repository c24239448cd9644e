// Channel transfers: values that went from one goroutine to another through channels.
//
// A buffered value is identified by its slot: the receiver gets the value last put there. That is exact, as the events
// of a channel are in order. The giver is 0 where its event was lost or preceded the recording.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "formats/event_names.h"
#include "formats/go_event.h"

namespace tailcap::causes {

struct ChannelTransfer {
  std::uint64_t goroutine = 0;
  formats::Time at = formats::kNoTime, given = formats::kNoTime;
  std::uint64_t giver = 0;    // 0: not known
  std::uint64_t channel = 0;  // 0: not known
};

class HandOvers {
 public:
  static constexpr std::size_t kMaxKept = 1u << 21;  // of all processes; later transfers are not known

  void push(const formats::Event& event);
  // Once for each process: all values that its goroutines took, in order.
  std::vector<ChannelTransfer> take(std::uint32_t pid);
  // Transfers from this time on are not known.
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
