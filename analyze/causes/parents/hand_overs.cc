#include "analyze/causes/parents/hand_overs.h"

#include <algorithm>

#include "formats/event.h"

namespace tailcap::causes {

using formats::GoChannelStep;
using formats::Time;

void HandOvers::push(const formats::Event& event) {
  const auto* what = std::get_if<formats::GoChannel>(&event.body);
  if (!what || what->step == GoChannelStep::unknown) return;
  if (kept_ >= kMaxKept) {
    horizon_ = std::min(horizon_, event.time);
    return;
  }
  ++kept_;
  steps_[event.thread.pid].push_back({event.time, event.goroutine, *what});
}

std::vector<ChannelTransfer> HandOvers::take(std::uint32_t pid) {
  std::vector<ChannelTransfer> taken;
  const auto at = steps_.find(pid);
  if (at == steps_.end()) return taken;
  std::vector<Step> steps = std::move(at->second);
  kept_ -= steps.size();
  steps_.erase(at);
  std::stable_sort(steps.begin(), steps.end(), [](const Step& a, const Step& b) { return a.at < b.at; });
  struct Put {
    std::uint64_t giver = 0;
    Time at = formats::kNoTime;
  };
  std::unordered_map<std::uint64_t, Put> slots;
  const auto out_of = [&](std::uint64_t slot) {
    const auto put = slots.find(slot);
    if (slot == 0 || put == slots.end()) return Put{};
    const Put found = put->second;
    slots.erase(put);
    return found;
  };
  for (const Step& s : steps) {
    const formats::GoChannel& c = s.what;
    switch (c.step) {
      case GoChannelStep::gave:
        taken.push_back({c.partner, s.at, s.at, s.goroutine, c.channel});
        break;
      case GoChannelStep::fetched:
        taken.push_back({s.goroutine, s.at, s.at, c.partner, c.channel});
        break;
      case GoChannelStep::put:
        slots[c.slot] = {s.goroutine, s.at};
        break;
      case GoChannelStep::took:
      case GoChannelStep::exchanged: {
        const Put put = out_of(c.slot);
        taken.push_back({s.goroutine, s.at, put.at, put.giver, c.channel});
        if (c.step == GoChannelStep::exchanged) slots[c.slot] = {c.partner, s.at};
        break;
      }
      case GoChannelStep::unknown:
        break;
    }
  }
  return taken;
}

}  // namespace tailcap::causes
