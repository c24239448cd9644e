#include "capture/host/clock_watch.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>

namespace tailcap::capture {
namespace {

constexpr time_t kNever = 4'000'000'000;  // seconds since 1970

}  // namespace

ClockWatch::ClockWatch()
    : timer_(timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK), "cannot watch the clock") {
  itimerspec at{};
  at.it_value.tv_sec = kNever;
  if (timerfd_settime(timer_.get(), TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &at, nullptr) != 0)
    throw std::system_error(errno, std::generic_category(), "cannot watch the clock");
}

bool ClockWatch::was_set() {
  std::uint64_t expirations = 0;
  return read(timer_.get(), &expirations, sizeof expirations) < 0 && errno == ECANCELED;
}

}  // namespace tailcap::capture
