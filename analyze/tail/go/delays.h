// How long the goroutines of each process could run and did not: from being made ready until they run.
//
// A new goroutine is ready at once; one that is preempted or yields is ready from then on. Needs the deep profile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/model/study/go_study.h"
#include "analyze/model/wire/served.h"
#include "formats/event_names.h"
#include "formats/time.h"

namespace tailcap::tail::go {

class Delays {
 public:
  static constexpr std::size_t kMaxDelays = 1u << 21;  // kept, of all processes; the others are counted
  static constexpr std::size_t kMaxReady = 1u << 20;   // goroutines that wait at a time
  static constexpr std::size_t kMaxRoutes = 200;

  void push(const formats::Event& event);

  // What was served when by which goroutine, with the route.
  struct Stretch {
    std::uint64_t goroutine = 0;
    formats::Time from = formats::kNoTime, to = formats::kNoTime;
    std::string route;
  };
  // stretches: of the process, in any order. Fills delays and delays_left_out.
  void fill(std::uint32_t pid, std::vector<Stretch> stretches, model::GoStudy& study) const;

 private:
  struct Delay {
    std::uint64_t goroutine = 0;
    formats::Time ready = formats::kNoTime;
    formats::Duration took{};
  };
  struct Process {
    std::unordered_map<std::uint64_t, formats::Time> ready;
    std::vector<Delay> delays;
    std::uint64_t left_out = 0;
  };
  std::map<std::uint32_t, Process> processes_;
  std::size_t waiting_ = 0, kept_ = 0;
};

}  // namespace tailcap::tail::go
