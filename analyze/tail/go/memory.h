// The memory of each Go process against its limits, second by second, and how often its collector ran.
//
// Near its limit (GOMEMLIMIT) a program is collected ever more often, for ever less; near that of its cgroup it is
// about to be killed. Times in which both came together are named.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

#include "analyze/model/study/go_study.h"
#include "formats/event.h"
#include "formats/time.h"

namespace tailcap::tail::go {

class Memory {
 public:
  static constexpr std::int64_t kWindow = 1'000'000'000;
  static constexpr std::size_t kMaxWindows = 1u << 18;  // of all processes and cgroups; later ones are left out

  void push(const formats::Event& event);
  // Fills memory of the study of a process. end: of the recording.
  void fill(std::uint32_t pid, formats::Time end, model::GoStudy& study) const;

 private:
  struct Process {
    std::map<std::int64_t, model::GoMemory::Second> seconds;  // by number since the recording's first event
    std::uint64_t limit = 0;                                  // of its own, as last read
    std::int32_t percent = 0;
    bool heap_told = false;
  };
  std::int64_t number(formats::Time at) const { return (at - begin_).count() / kWindow; }
  model::GoMemory::Second* second(Process& process, formats::Time at);
  void note(std::string_view value, formats::Time at);

  formats::Time begin_ = formats::kNoTime;
  std::map<std::uint32_t, Process> processes_;
  std::unordered_map<std::uint32_t, std::string> cgroups_;  // of processes
  struct Group {
    std::uint64_t limit = 0;                     // as last read
    std::map<std::int64_t, std::uint64_t> used;  // bytes, by second; where it is known to have changed
  };
  std::map<std::string, Group> groups_;
  std::size_t windows_ = 0;
};

}  // namespace tailcap::tail::go
