// The thread that reads the rings is an idle task, which every other thread preempts at once, while it can wait; on a
// machine without idle CPUs it takes its share. Others stay as they are: one that is preempted while it writes a file
// may hold what others wait for.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

namespace tailcap::capture {

// When a thread may be an idle task, from what it has done.
class Patience {
 public:
  using Clock = std::chrono::steady_clock;
  static constexpr std::chrono::milliseconds kLate{100};                    // without a turn
  static constexpr std::chrono::seconds kFirstShare{2}, kLongestShare{64};  // a share, once it is needed

  // turns: how many it has had; full: more waits than may.
  bool idle(Clock::time_point now, std::uint64_t turns, bool full);

 private:
  bool idle_ = true;
  std::uint64_t turns_ = 0;
  Clock::time_point turn_{}, since_{};  // the latest turn; since when it is as it is
  Clock::duration share_ = kFirstShare;
};

class Courtesy {
 public:
  // reader: the thread. waiting: bytes that are to be read, called by a thread of its own; with more than `most` the
  // reader takes its share. Nothing changes before begin(), and nothing without CAP_SYS_NICE. Make it before
  // give_up_privileges().
  Courtesy(pid_t reader, std::function<std::uint64_t()> waiting, std::uint64_t most);
  ~Courtesy();  // the reader has its share again
  Courtesy(const Courtesy&) = delete;
  Courtesy& operator=(const Courtesy&) = delete;

  void begin();
  // The reader has done what there was to do.
  void turn() { turns_.fetch_add(1, std::memory_order_relaxed); }

 private:
  void run();
  void set(bool idle);

  pid_t reader_;
  std::function<std::uint64_t()> waiting_;
  std::uint64_t most_;
  std::atomic<std::uint64_t> turns_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false, begun_ = false, ending_ = false;
  std::thread thread_;
};

}  // namespace tailcap::capture
