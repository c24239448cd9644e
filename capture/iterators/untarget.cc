#include "capture/iterators/untarget.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "bpf/event.h"
#include "capture/iterators/iterator.h"

namespace tailcap::capture::iterators {
namespace {

// Threads that begin while the others are listed are found in the next round.
constexpr int kMostRounds = 8;
// One a keyframe, a minute and more.
constexpr int kSweeps = 8;

}  // namespace

std::set<std::uint32_t> Untarget::remove(const std::vector<std::uint32_t>& pids) {
  for (const std::uint32_t pid : pids) {
    const std::uint8_t how = TARGET_REMOVED;
    if (bpf_map_update_elem(bpf_map__fd(pids_), &pid, &how, BPF_ANY) != 0)
      throw std::system_error(errno, std::generic_category(), "cannot tell the kernel programs which targets end");
    removed_.insert(pid);
  }
  std::set<std::uint32_t> ended;
  for (int round = 0; round < kMostRounds; ++round) {
    const std::vector<std::byte> listed = iterate(tasks_);
    for (std::size_t at = 0; at + sizeof(bpf::record_task) <= listed.size(); at += sizeof(bpf::record_task)) {
      bpf::record_task task;
      std::memcpy(&task, listed.data() + at, sizeof task);
      ended.insert(task.h.pid);
    }
    if (listed.empty()) break;
  }
  sweeps_left_ = kSweeps;
  sockets_->untarget();
  return ended;
}

void Untarget::sweep() {
  if (sweeps_left_ == 0) return;
  sockets_->untarget();
  if (--sweeps_left_ > 0) return;
  // Another process may have the number by then.
  for (const std::uint32_t pid : removed_) (void)bpf_map_delete_elem(bpf_map__fd(pids_), &pid);
  removed_.clear();
}

void Untarget::forget_cgroup() { std::atomic_ref(*cgroup_).store(0); }

}  // namespace tailcap::capture::iterators
