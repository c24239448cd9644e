// A clock on every CPU that runs a kernel program so many times a second, whenever the CPU is not idle.
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

  // On all CPUs that are there now. Throws std::system_error where the kernel refuses.
  void start(int program, std::uint32_t rate);
  void run(bool on);  // whether it strikes; it does once it is started
  void stop();

 private:
  std::vector<int> events_;
};

}  // namespace tailcap::capture
