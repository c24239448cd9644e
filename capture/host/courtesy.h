// The thread that reads the rings is an idle task, which every other thread preempts at once, while it can wait; on a
// machine without idle CPUs it takes its share, and goes first for moments in which events would be lost. Others stay
// as they are: one that is preempted while it writes a file may hold what others wait for.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>

#include "ground/scheduling.h"

namespace tailcap::capture {

// Which share of the CPUs a thread takes, from what it has done and what waits for it.
class Patience {
 public:
  using Clock = std::chrono::steady_clock;
  struct Limits {
    std::uint64_t share = 0, first = 0;  // with more bytes than these the thread takes its share, or goes first
  };
  static constexpr std::chrono::milliseconds kLate{300};                    // without a turn
  static constexpr std::chrono::seconds kFirstShare{2}, kLongestShare{64};  // a share, once it is needed
  static constexpr std::chrono::seconds kLongestFirst{1};                   // at once; later half of the time

  explicit Patience(const Limits& limits) : limits_(limits) {}
  // turns: how many it has had; waiting: bytes.
  ground::Share share(Clock::time_point now, std::uint64_t turns, std::uint64_t waiting);
  // Until it should be asked again.
  std::chrono::milliseconds next_look() const { return idle_ && !first_ ? kRareLook : kLook; }

 private:
  // The rings hold what comes in ten of these, at 200 MB/s; one costs up to 60 µs of CPU.
  static constexpr std::chrono::milliseconds kLook{10}, kRareLook{40};

  bool first(Clock::time_point now, std::uint64_t waiting);

  Limits limits_;
  bool idle_ = true, first_ = false;
  std::uint64_t turns_ = 0;
  Clock::time_point turn_{}, since_{};  // the latest turn; since when it is idle, or is not
  Clock::time_point looked_{};          // the latest call
  Clock::duration may_go_first_ = kLongestFirst;
  Clock::duration share_ = kFirstShare;
};

class Courtesy {
 public:
  // reader: the thread. waiting: bytes that are to be read, called by a thread of its own. Nothing changes before
  // begin(), and nothing without CAP_SYS_NICE. Make it before give_up_privileges().
  Courtesy(pid_t reader, std::function<std::uint64_t()> waiting, const Patience::Limits& limits);
  ~Courtesy();  // the reader has its share again
  Courtesy(const Courtesy&) = delete;
  Courtesy& operator=(const Courtesy&) = delete;

  void begin();
  // The reader has done what there was to do.
  void turn() { turns_.fetch_add(1, std::memory_order_relaxed); }

 private:
  void run();
  void set(ground::Share share);

  pid_t reader_;
  std::function<std::uint64_t()> waiting_;
  Patience::Limits limits_;
  int nice_;
  std::atomic<std::uint64_t> turns_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool asked_ = false, begun_ = false, ending_ = false;
  std::thread thread_;
};

}  // namespace tailcap::capture
