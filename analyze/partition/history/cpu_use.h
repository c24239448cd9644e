// When recorded threads were queued for a CPU, and when they ran.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <utility>

#include "analyze/model/crowd.h"
#include "analyze/model/off_cpu_wait.h"

namespace tailcap::partition {

class CpuUse {
 public:
  // Waits of one thread in order of time; beyond `threads` threads, the CPU time of further ones is not counted.
  explicit CpuUse(std::size_t threads) : most_(threads) {}
  void take(std::uint32_t tid, const model::OffCpuWait& wait);
  const model::Crowd& crowd() const { return crowd_; }
  model::Crowd take_crowd() {
    crowd_.settle();
    return std::move(crowd_);
  }

 private:
  std::size_t most_;
  model::Crowd crowd_;
  std::unordered_map<std::uint32_t, std::int64_t> switched_in_;  // by thread: the end of its last wait
};

}  // namespace tailcap::partition
