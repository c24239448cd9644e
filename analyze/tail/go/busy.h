// How busy each Go process was, second by second: goroutines that ran of as many as may run (deep profile), and threads
// of as many CPUs as it may use.
//
// A goroutine runs until it parks, yields, is preempted or ends; while its thread is blocked in the kernel it does
// not. A second that the recording or the process does not fill is left out.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <unordered_map>

#include "analyze/model/study/go_study.h"
#include "formats/event_names.h"
#include "formats/thread_event.h"

namespace tailcap::tail::go {

class Busy {
 public:
  static constexpr std::int64_t kWindow = 1'000'000'000;
  // Seconds of all processes: those in which an interval begins or ends, and those of the result. Beyond them there is
  // no result.
  static constexpr std::size_t kMaxWindows = 1u << 20;
  static constexpr std::size_t kMaxRunning = 1u << 18;  // goroutines and threads at a time

  void push(const formats::Event& event);
  // cpus: of the machine. end: of the recording. Fills busy and busy_seconds.
  void fill(std::uint32_t pid, std::uint32_t cpus, formats::Time end, model::GoStudy& study) const;

 private:
  struct Window {
    std::int64_t goroutines = 0, threads = 0;  // ns that they ran, all together
    // Intervals that fill windows: how many more of them from this window on.
    std::int64_t more_goroutines = 0, more_threads = 0;
  };
  struct Process {
    formats::Time first = formats::kNoTime, ended = formats::kNoTime;
    bool states = false;
    std::uint16_t processors = 0;
    std::map<std::int64_t, Window> windows;                    // by number since the recording's first event
    std::unordered_map<std::uint64_t, formats::Time> running;  // goroutines, since when
    std::unordered_map<std::uint32_t, formats::Time> on_cpu;   // threads, since when
  };
  struct What {
    std::int64_t Window::*part;
    std::int64_t Window::*more;
  };
  static constexpr What kGoroutines{&Window::goroutines, &Window::more_goroutines};
  static constexpr What kThreads{&Window::threads, &Window::more_threads};
  // Its work does not depend on how long the interval is.
  void add(Process& process, formats::Time from, formats::Time to, const What& what, int sign);
  Window* window(Process& process, std::int64_t number);
  void runs_no_longer(Process& process, std::uint64_t goroutine, formats::Time at);
  void off_cpu(Process& process, const formats::Event& event, const formats::OffCpu& off);

  formats::Time begin_ = formats::kNoTime;
  std::map<std::uint32_t, Process> processes_;
  std::map<std::string, double, std::less<>> quotas_;  // CPUs, by cgroup
  std::map<std::uint32_t, std::string> cgroups_;       // of processes
  std::size_t windows_ = 0, running_ = 0;
  mutable std::size_t filled_ = 0;  // windows of results
};

}  // namespace tailcap::tail::go
