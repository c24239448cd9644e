// Which Go processes' worlds are stopped, while events pass by in their order.
#pragma once

#include <cstdint>
#include <set>

#include "formats/event.h"

namespace tailcap::views {

class StoppedWorlds {
 public:
  void push(const formats::Event& event) {
    const auto* runtime = std::get_if<formats::GoRuntime>(&event.body);
    if (!runtime) return;
    if (runtime->phase == formats::GoPhase::stopped && stopped_.size() < kMaxStopped) stopped_.insert(event.thread.pid);
    if (runtime->phase == formats::GoPhase::started) stopped_.erase(event.thread.pid);
  }
  bool contains(std::uint32_t pid) const { return stopped_.contains(pid); }

 private:
  static constexpr std::size_t kMaxStopped = 65536;
  std::set<std::uint32_t> stopped_;
};

}  // namespace tailcap::views
