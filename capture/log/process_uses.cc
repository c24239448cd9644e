#include "capture/log/process_uses.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cinttypes>
#include <cstddef>
#include <cstdio>
#include <string>

#include "capture/host/system_file.h"
#include "capture/log/turns.h"

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
  std::uint64_t pages = 0, resident = 0, shared = 0;
  const std::string sizes = read_system_file("/proc/" + std::to_string(pid) + "/statm", 256);
  if (std::sscanf(sizes.c_str(), "%" SCNu64 " %" SCNu64 " %" SCNu64, &pages, &resident, &shared) != 3)
    return std::nullopt;
  const auto page = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  return ProcessUse{Duration{used.tv_sec * std::int64_t{1'000'000'000} + used.tv_nsec}, resident * page,
                    (resident - std::min(shared, resident)) * page};
}

void ProcessUses::push(Time now, const std::unordered_set<std::uint32_t>& processes) {
  for (const std::uint32_t pid : turn_of(processes, kUseProcesses, next_))
    if (const auto use = process_use(pid)) log_.push({now, {pid, pid}, *use});
}

}  // namespace tailcap::capture
