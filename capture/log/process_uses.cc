#include "capture/log/process_uses.h"

#include <time.h>

#include <cstddef>
#include <string>

#include "capture/log/turns.h"
#include "capture/scan/proc.h"

namespace tailcap::capture {

using namespace formats;

namespace {

// About 10 µs for each process.
constexpr std::size_t kUseProcesses = 256;

// As the kernel numbers them (posix-timers.h). clock_getcpuclockid() asks whether it is so by a further call.
clockid_t cpu_clock_of(std::uint32_t pid) {
  constexpr std::uint32_t kByScheduler = 2;
  return static_cast<clockid_t>(~pid << 3 | kByScheduler);
}

}  // namespace

std::optional<ProcessUse> process_use(std::uint32_t pid) {
  timespec used{};
  if (clock_gettime(cpu_clock_of(pid), &used) != 0) return std::nullopt;
  const auto memory = process_memory(std::to_string(pid));
  if (!memory) return std::nullopt;
  return ProcessUse{Duration{used.tv_sec * std::int64_t{1'000'000'000} + used.tv_nsec}, memory->resident,
                    memory->anonymous};
}

void ProcessUses::push(Time now, const std::unordered_set<std::uint32_t>& processes) {
  for (const std::uint32_t pid : turn_of(processes, kUseProcesses, next_))
    if (const auto use = process_use(pid)) log_.push({now, {pid, pid}, *use});
}

}  // namespace tailcap::capture
