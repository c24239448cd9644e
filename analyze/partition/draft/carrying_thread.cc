#include "analyze/partition/draft/carrying_thread.h"

#include <algorithm>

namespace tailcap::partition {

using model::Evidence;
using model::Label;

void CarryingThread::add(Nanos begin, Nanos end, Label label, Evidence evidence, std::uint32_t who) {
  draft.add(std::max(begin, from), std::min(end, to), label, evidence, who);
}

// A thread of another process ended the wait.
std::uint32_t CarryingThread::other_process(const OffCpuWait& w) {
  if (w.waker == 0) return 0;
  const ThreadLog* waker = k.observed.thread(w.waker);
  return waker && waker->pid == log.pid ? 0 : draft.who(0, {}, w.waker);
}

void CarryingThread::add_plain(const OffCpuWait& w, Nanos until) {
  using formats::StallKind;
  Nanos at = w.time;
  const std::uint32_t ended_by = other_process(w);
  log.stalls.each(w.time, until, [&](const Stalled& s) {
    Label label = Label::io_disk;
    switch (s.what) {
      case StallKind::block_io:
        label = w.blocked == Blocked::fault ? Label::mem_majfault : Label::io_disk;
        break;
      case StallKind::major_fault:
        label = Label::mem_majfault;
        break;
      case StallKind::fuse:
        label = Label::io_fuse;
        break;
      case StallKind::writeback:
        label = Label::io_writeback;
        break;
      // The start of the throttling is not recorded, so this is an upper bound. It precedes the other reasons.
      case StallKind::io_throttled:
        return add(s.time, std::min(s.to, until), Label::io_throttled, Evidence::inferred,
                   s.where != 0 ? draft.who(s.where) : 0);
      default:
        return;
    }
    if (s.to <= at) return;
    add(at, s.time, label_of(w), Evidence::measured, ended_by);
    add(std::max(s.time, at), std::min(s.to, until), label, Evidence::measured, s.where != 0 ? draft.who(s.where) : 0);
    at = std::min(s.to, until);
  });
  add(at, until, label_of(w), Evidence::measured, ended_by);
}

}  // namespace tailcap::partition
