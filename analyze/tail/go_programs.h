// Adds up what the runtime of each Go process did, and which requests its stops of the world hit.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analyze/flow/go_study.h"
#include "analyze/flow/request.h"
#include "formats/event.h"

namespace tailcap::tail {

class GoPrograms {
 public:
  static constexpr std::size_t kMaxStops = 1u << 18;  // of all processes; later ones are not counted

  void push(const formats::Event& event);
  std::vector<flow::GoStudy> list(const flow::RequestTable& table) const;  // by process

 private:
  struct Stop {
    formats::Time from = formats::kNoTime, to = formats::kNoTime;
  };
  struct Sums {
    flow::GoStudy study;
    std::vector<Stop> stops;
    formats::Time asked = formats::kNoTime;  // a stop that has not ended; one at a time
  };
  std::map<std::uint32_t, Sums> processes_;
  std::size_t kept_ = 0;
};

}  // namespace tailcap::tail
