#include "ground/scheduling.h"

#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace tailcap::ground {
namespace {

// sched_setattr(2); the C library has no type for it.
struct SchedulingAttributes {
  std::uint32_t size, policy;
  std::uint64_t flags;
  std::int32_t nice;
  std::uint32_t priority;
  std::uint64_t runtime, deadline, period;
};

constexpr std::uint64_t kLongestSlice = 100'000'000;  // ns; the kernel's limit

}  // namespace

bool become_batch_task() {
  SchedulingAttributes attributes{};
  if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0 || attributes.policy != SCHED_OTHER)
    return false;
  attributes.policy = SCHED_BATCH;
  attributes.runtime = kLongestSlice;  // a thread with a shorter slice may preempt one with a longer
  return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}

}  // namespace tailcap::ground
