#include "analyze/causes/parents/wakings.h"

#include <variant>

#include "ground/syscalls.h"

namespace tailcap::causes {

void Wakings::push(const formats::Event& event) {
  Waking waking;
  if (const auto* off = std::get_if<formats::OffCpu>(&event.body)) {
    if (off->waker == 0 || off->ongoing || ground::syscall_wait(off->syscall) != ground::SyscallWait::futex) return;
    waking = {formats::known(off->runnable) ? off->runnable : event.time, off->waker};
  } else if (const auto* start = std::get_if<formats::TaskStart>(&event.body)) {
    if (start->parent.pid != event.thread.pid) return;
    waking = {event.time, start->parent.tid};
  } else {
    return;
  }
  if (threads_.size() >= kMaxThreads && !threads_.contains(event.thread.tid)) return;
  std::deque<Waking>& all = threads_[event.thread.tid];
  if (all.size() >= kMaxKept) all.pop_front();
  all.push_back(waking);
}

std::vector<Waking> Wakings::last(std::uint32_t tid, formats::Time until) const {
  constexpr std::size_t kMost = 2;
  std::vector<Waking> out;
  const auto of = threads_.find(tid);
  if (of == threads_.end()) return out;
  for (auto w = of->second.rbegin(); w != of->second.rend() && out.size() < kMost; ++w)
    if (w->at <= until) out.push_back(*w);
  return out;
}

}  // namespace tailcap::causes
