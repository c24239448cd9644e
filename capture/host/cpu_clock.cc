#include "capture/host/cpu_clock.h"

#include <linux/perf_event.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cassert>
#include <cerrno>
#include <system_error>

namespace tailcap::capture {

void CpuClock::start(int program, std::uint32_t rate) {
  assert(rate > 0);
  perf_event_attr attributes{};
  attributes.size = sizeof attributes;
  attributes.type = PERF_TYPE_SOFTWARE;
  attributes.config = PERF_COUNT_SW_CPU_CLOCK;
  attributes.disabled = 1;
  attributes.sample_period = 1'000'000'000u / rate;
  const long cpus = sysconf(_SC_NPROCESSORS_CONF);
  for (int cpu = 0; cpu < cpus; ++cpu) {
    const int event = static_cast<int>(syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC));
    if (event < 0 && (errno == ENODEV || errno == EINVAL) && cpu > 0) continue;  // switched off
    if (event < 0)
      throw std::system_error(errno, std::generic_category(),
                              "cannot sample the CPUs; record without --sample, or allow perf events");
    events_.push_back(event);
    if (ioctl(event, PERF_EVENT_IOC_SET_BPF, program) != 0 || ioctl(event, PERF_EVENT_IOC_ENABLE, 0) != 0)
      throw std::system_error(errno, std::generic_category(),
                              "cannot run a kernel program on the CPUs' clocks; record without --sample");
  }
}

void CpuClock::run(bool on) {
  for (const int event : events_) ioctl(event, on ? PERF_EVENT_IOC_ENABLE : PERF_EVENT_IOC_DISABLE, 0);
}

void CpuClock::stop() {
  for (const int event : events_) close(event);
  events_.clear();
}

}  // namespace tailcap::capture
