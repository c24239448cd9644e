#include "ground/scheduling.h"

#include <dirent.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <memory>

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

constexpr std::int32_t kLowestNice = -20, kFirstNice = 10;
constexpr std::uint64_t kLongestSlice = 100'000'000;  // ns; the kernel's limit

bool get(pid_t thread, SchedulingAttributes& attributes) {
  return syscall(SYS_sched_getattr, thread, &attributes, sizeof attributes, 0) == 0;
}

bool set(pid_t thread, SchedulingAttributes attributes, std::uint32_t policy) {
  attributes.policy = policy;
  attributes.runtime = policy == SCHED_BATCH ? kLongestSlice : 0;  // a shorter slice may preempt a longer one
  return syscall(SYS_sched_setattr, thread, &attributes, 0) == 0;
}

struct FolderClose {
  void operator()(DIR* folder) const { closedir(folder); }
};

}  // namespace

bool become_batch_task() {
  SchedulingAttributes attributes{};
  return get(0, attributes) && attributes.policy == SCHED_OTHER && set(0, attributes, SCHED_BATCH);
}

bool set_share(pid_t thread, Share share, int nice) {
  SchedulingAttributes attributes{};
  if (!get(thread, attributes)) return false;
  const std::uint32_t policy = share == Share::idle ? SCHED_IDLE : SCHED_BATCH;
  if (share == Share::first) nice = std::max(kLowestNice, nice - kFirstNice);
  if (attributes.policy == policy && (attributes.nice == nice || share == Share::idle)) return true;
  if (attributes.policy != SCHED_BATCH && attributes.policy != SCHED_IDLE) return false;
  attributes.nice = nice;
  return set(thread, attributes, policy);
}

int own_nice() {
  SchedulingAttributes attributes{};
  return get(0, attributes) ? attributes.nice : 0;
}

std::vector<pid_t> own_threads() {
  std::vector<pid_t> out;
  const std::unique_ptr<DIR, FolderClose> folder(opendir("/proc/self/task"));
  while (const dirent* entry = folder ? readdir(folder.get()) : nullptr)
    if (const int thread = std::atoi(entry->d_name); thread > 0) out.push_back(thread);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace tailcap::ground
