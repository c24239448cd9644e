// What threads, goroutines and connections did while requests were under way, for the lanes of any of them: of the
// whole recording, or where that has too many events, around its slowest and its failed requests. Collected in the
// second reading.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "analyze/model/study/lanes.h"
#include "analyze/pipeline/second_reading.h"
#include "analyze/timeline/lane_collector.h"

namespace tailcap::pipeline {

class LaneRecorder : public SecondReading {
 public:
  struct Limits {
    std::uint64_t events = 400'000;  // of a recording; with more, only times around requests are kept
    std::size_t stretches = 400'000;
  };
  // first: around this one before all others; connection 0: none.
  LaneRecorder(model::ExchangeId first, Limits limits) : first_(first), limits_(limits) {}
  explicit LaneRecorder(model::ExchangeId first) : LaneRecorder(first, Limits()) {}

  void begin(const model::RequestTable& table, const Recording& recording) override;
  void push(const formats::Event& event) override;
  // Call once, after the last event.
  model::LaneRecord take();

 private:
  const model::ExchangeId first_;
  const Limits limits_;
  std::optional<timeline::LaneCollector> lanes_;
  std::vector<std::pair<formats::Time, formats::Time>> times_;
};

}  // namespace tailcap::pipeline
