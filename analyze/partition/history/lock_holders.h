// Who held a lock while a thread waited for it: the thread that woke it, and the request that this one worked on.
#pragma once

#include <cstdint>
#include <optional>

#include "analyze/partition/history/observed.h"
#include "analyze/partition/history/windows.h"

namespace tailcap::partition {

struct LockHolder {
  model::ExchangeId request;  // connection 0: none, not known, or the one that waited
  std::uint32_t tid = 0;      // 0: not known
};

// The locks that one thread waits for while it carries a request.
class LockHolders {
 public:
  // All must outlive it; windows does not change.
  LockHolders(const Windows& windows, const Observed& observed, const Window& waiting, std::uint32_t tid)
      : windows_(windows), observed_(observed), waiting_(waiting), tid_(tid) {}

  // When `wait` ended. Where the thread polls and no thread woke it yet, the holder is who runs.
  LockHolder of_futex(const OffCpuWait& wait) const;
  // The wait of `woken`'s waker for the lock that `first` waits for, if it ended after `first` began; else nullptr.
  const OffCpuWait* own_wait(const OffCpuWait& woken, const OffCpuWait& first) const;
  // The thread that released a file held it since before the wait, or another did before that one: only a request that
  // it worked on meanwhile is named. It may have ended before the release.
  LockHolder of_file(const OffCpuWait& wait) const;
  // A server of a database waited in this session and was woken by the process of another, at work on a request of its
  // own: PostgreSQL, where a transaction ends that held a lock. That request; connection 0: none.
  model::ExchangeId of_session(const OffCpuWait& wait) const;

 private:
  std::optional<std::uint32_t> worked_on(std::uint32_t tid, Nanos at) const;
  std::uint32_t running_alone(std::uint32_t pid, const OffCpuWait& wait) const;

  const Windows& windows_;
  const Observed& observed_;
  const Window& waiting_;
  const std::uint32_t tid_;
};

}  // namespace tailcap::partition
