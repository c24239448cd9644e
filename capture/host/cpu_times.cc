#include "capture/host/cpu_times.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "capture/host/system_file.h"

namespace tailcap::capture {
namespace {

constexpr std::int64_t kSecond = 1'000'000'000;
constexpr std::size_t kFirstLine = 512;

}  // namespace

std::optional<CpuTimes> parse_cpu_times(std::string_view text, long ticks_per_second) {
  if (!text.starts_with("cpu ") || ticks_per_second <= 0) return std::nullopt;
  text = text.substr(4, text.find('\n') - 4);
  std::array<std::int64_t, 8> ticks{};  // user, nice, system, idle, iowait, irq, softirq, steal
  for (std::int64_t& n : ticks) {
    text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), n);
    if (error != std::errc{} || n < 0 || n > INT64_MAX / kSecond) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  }
  const auto ns = [&](std::size_t i) { return ticks[i] * (kSecond / ticks_per_second); };
  return CpuTimes{ns(3), ns(4), ns(5), ns(6), ns(7)};
}

std::optional<CpuTimes> read_cpu_times() {
  return parse_cpu_times(read_system_file("/proc/stat", kFirstLine), sysconf(_SC_CLK_TCK));
}

#if defined(__x86_64__)
bool tells_steal(const CpuTimes& now) {
  constexpr unsigned kHypervisor = 1u << 31, kFeatures = 0x40000001, kStealTime = 1u << 5;
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (now.steal > 0) return true;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & kHypervisor)) return true;
  __cpuid(0x40000000, a, b, c, d);
  char name[12];
  std::memcpy(name, &b, 4);
  std::memcpy(name + 4, &c, 4);
  std::memcpy(name + 8, &d, 4);
  if (std::memcmp(name, "KVMKVMKVM\0\0\0", sizeof name) != 0 || a < kFeatures) return false;
  __cpuid(kFeatures, a, b, c, d);
  return a & kStealTime;
}
#else
// No instruction says whether there is a hypervisor.
bool tells_steal(const CpuTimes& now) { return now.steal > 0; }
#endif

}  // namespace tailcap::capture
