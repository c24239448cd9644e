// The time of all CPUs together so far, as the kernel counts it in /proc/stat, in steps of its clock (10 ms).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace tailcap::capture {

struct CpuTimes {
  std::int64_t idle = 0, iowait = 0, irq = 0, softirq = 0, steal = 0;  // ns
};

// text: /proc/stat. Empty: it is no such text.
std::optional<CpuTimes> parse_cpu_times(std::string_view text, long ticks_per_second);
std::optional<CpuTimes> read_cpu_times();

// Whether the kernel can tell what a hypervisor takes: there is none, or it says so.
bool tells_steal(const CpuTimes& now);

}  // namespace tailcap::capture
