// Adds up what the runtime of each Go process did, and which requests its stops of the world hit.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/go_study.h"
#include "analyze/model/wire/served.h"
#include "analyze/tail/go/busy.h"
#include "analyze/tail/go/delays.h"
#include "analyze/tail/go/left_behind.h"
#include "analyze/tail/go/memory.h"
#include "analyze/tail/go/taken.h"
#include "analyze/tail/go/use.h"
#include "formats/event_names.h"
#include "formats/time.h"

namespace tailcap::tail {

class GoPrograms {
 public:
  static constexpr std::size_t kMaxStops = 1u << 18;  // of all processes; later ones are not counted

  explicit GoPrograms(const model::GoLimits& limits) : limits_(limits), left_(limits.left_after) {}

  void push(const formats::Event& event);
  // By process. served: by process. cpus: of the machine; 0: not known. end: of the recording.
  std::vector<model::GoStudy> list(const model::RequestTable& table, const std::vector<model::Served>& served,
                                   std::uint32_t cpus, formats::Time end) const;

  // Likewise, with nothing but busy and its limits.
  std::vector<model::GoStudy> busy(std::uint32_t cpus, formats::Time end) const;

 private:
  struct Stop {
    formats::Time from = formats::kNoTime, to = formats::kNoTime;
  };
  struct Sums {
    model::GoStudy study;
    std::vector<Stop> stops;
    formats::Time collects = formats::kNoTime;  // a collection that has not ended
    formats::Time asked = formats::kNoTime;     // a stop that has not ended; one at a time
  };
  std::map<std::uint32_t, Sums> processes_;
  std::size_t kept_ = 0;
  const model::GoLimits limits_;
  go::Use use_;
  go::Delays delays_;
  go::LeftBehind left_;
  go::Busy busy_;
  go::Memory memory_;
  go::Taken taken_;
};

}  // namespace tailcap::tail
