// What goroutines did, from the state changes that Go's scheduler makes. Only in recordings with the deep profile.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "formats/event_names.h"
#include "formats/go_event.h"

namespace tailcap::tasks {

struct GoroutineInterval {
  std::uint32_t pid = 0;
  std::uint64_t goroutine = 0;
  std::int64_t from = 0, to = 0;  // ns of the capture's clock
  formats::GoRunState state = formats::GoRunState::parked;
  std::string reason;  // of parked: as Go names it: "chan receive"
  bool ongoing = false;
};

class GoroutineStates {
 public:
  static constexpr std::size_t kMax = 1u << 18;  // goroutines at a time; of further ones nothing is known

  // Intervals that this event ended, of all goroutines where it is the end; valid until the next call.
  std::span<const GoroutineInterval> push(const formats::Event& event);
  std::uint64_t beyond() const { return beyond_; }  // changes of goroutines beyond kMax

 private:
  void change(const formats::Event& event, const formats::GoState& state);

  std::map<std::pair<std::uint32_t, std::uint64_t>, GoroutineInterval> open_;  // by process and goroutine
  std::vector<GoroutineInterval> done_;
  formats::Time last_ = formats::kNoTime;
  std::uint64_t beyond_ = 0;
};

}  // namespace tailcap::tasks
