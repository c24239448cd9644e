// Lanes around the requests that a page may show in time, collected in the second reading. Which of them are shown is
// known only after it; the slowest of each route are likely.
#pragma once

#include <vector>

#include "analyze/model/study/lanes.h"
#include "analyze/pipeline/second_reading.h"
#include "analyze/timeline/lane_collector.h"

namespace tailcap::pipeline {

class LaneWindows : public SecondReading {
 public:
  // options: what they choose is likely; must outlive this.
  explicit LaneWindows(const Options& options) : options_(options) {}
  LaneWindows(const LaneWindows&) = delete;  // its windows share the owners
  LaneWindows& operator=(const LaneWindows&) = delete;

  void begin(const model::RequestTable& table, const Recording& recording) override;
  void push(const formats::Event& event) override;
  // After the last event: of these requests, as far as they were likely.
  std::vector<model::LanesAround> take(const model::RequestTable& table, const std::vector<model::ExchangeId>& wanted);

 private:
  static constexpr std::size_t kMost = 24, kPerRoute = 2, kRoutes = 8;
  struct Window {
    model::ExchangeId request;
    timeline::LaneCollector lanes;
  };

  const Options& options_;
  std::vector<Window> windows_;
  timeline::SocketOwners owners_;
};

}  // namespace tailcap::pipeline
