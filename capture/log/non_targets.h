// Processes that are not recorded and that recorded ones met: who woke or stopped them, who used the CPUs and disks.
// Their names and cgroups are read once, from /proc.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "capture/log/event_log.h"
#include "capture/scan/proc.h"
#include "formats/event.h"

namespace tailcap::capture {

class NonTargets {
 public:
  // wakers: descriptor of the table of threads that woke targets; -1: there is none.
  explicit NonTargets(int wakers) : wakers_(wakers) {}

  static constexpr std::size_t kMost = 2048;      // numbers; further ones have no name
  static constexpr std::size_t kMostAtOnce = 32;  // in a tick: reading one takes about 50 µs

  // A thread or process, recorded or not. The recorder's own are never described.
  void met(std::uint32_t tid) {
    if (tid != 0 && seen_.size() < kMost && seen_.insert(tid).second) new_.push_back(tid);
  }
  // An event may name some.
  void take(const formats::Event& event);
  // Describes those that were met since. targets: processes. Returns the processes among them: what they run is not
  // known yet.
  std::vector<std::uint32_t> tick(formats::Time now, const std::unordered_set<std::uint32_t>& targets, EventLog& log);
  bool contains(std::uint32_t pid) const { return shown_.contains(pid); }
  // What the process runs, as it would be called if it were recorded; empty: its name in the kernel is its name.
  void name(formats::Time now, std::uint32_t pid, const std::string& service, EventLog& log);
  // In a keyframe of a recording whose beginning is dropped.
  void repeat(formats::Time now, EventLog& log) const;

 private:
  struct Shown {
    formats::Thread thread;
    ProcessFacts facts;
    std::string service;
  };
  void take(const formats::OffCpu& off);
  void push(formats::Time now, const Shown& shown, EventLog& log) const;

  void tell_frozen(formats::Time now, EventLog& log);

  int wakers_;
  std::unordered_set<std::uint32_t> frozen_;                   // processes, since the last tick
  std::set<std::pair<std::uint32_t, std::string>> frozen_in_;  // processes, and the cgroups that were
  std::unordered_set<std::uint32_t> seen_;
  std::vector<std::uint32_t> new_;
  std::map<std::uint32_t, Shown> shown_;  // by thread
};

}  // namespace tailcap::capture
