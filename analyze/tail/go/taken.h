// Memory that Go programs allocate, and preemptions of their goroutines.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/model/study/go_study.h"
#include "analyze/tail/go/delays.h"
#include "formats/event_names.h"
#include "formats/time.h"

namespace tailcap::tail::go {

class Taken {
 public:
  static constexpr std::size_t kMaxSamples = 1u << 20;  // later ones belong to no route

  void push(const formats::Event& event);
  // Fills in what is known of the process. served: the request that each of its goroutines worked on, and when.
  void fill(std::uint32_t pid, const std::vector<Delays::Stretch>& served, model::GoStudy& study) const;

 private:
  struct Sampled {
    formats::Time time = formats::kNoTime;
    std::uint64_t goroutine = 0, value = 0;
    std::uint32_t weight = 1;
    bool allocation = false;
  };
  struct Process {
    std::map<std::uint64_t, model::GoSizes> sizes;
    formats::Time first = formats::kNoTime, last = formats::kNoTime;  // readings
    std::uint64_t since_first = 0;                                    // allocations after it
    bool counted = false;
    std::unordered_map<std::string, model::GoHot> hot, preempted_at;
    std::uint64_t preemptions = 0;
    std::vector<Sampled> samples;
  };
  std::map<std::uint32_t, Process> processes_;
  std::size_t kept_ = 0;
};

}  // namespace tailcap::tail::go
