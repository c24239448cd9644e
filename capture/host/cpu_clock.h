// A clock on every CPU that runs a kernel program at the given rate per second, while the CPU is not idle.
#pragma once

#include <cstdint>
#include <vector>

namespace tailcap::capture {

class CpuClock {
 public:
  CpuClock() = default;
  ~CpuClock() { stop(); }
  CpuClock(const CpuClock&) = delete;
  CpuClock& operator=(const CpuClock&) = delete;

  // On all CPUs that are online now. Throws std::system_error if the kernel refuses.
  void start(int program, std::uint32_t rate);
  void run(bool on);  // enables or disables it; enabled after start()
  void stop();

 private:
  std::vector<int> events_;
};

}  // namespace tailcap::capture
