// What belongs to one request and to its other end, collected beside the labels.
#pragma once

#include <optional>
#include <vector>

#include "analyze/model/study/detail.h"
#include "analyze/model/study/lanes.h"
#include "analyze/pipeline/request/surroundings.h"
#include "analyze/pipeline/second_reading.h"
#include "analyze/pipeline/window/past.h"
#include "analyze/pipeline/wire/wire.h"
#include "analyze/timeline/lane_collector.h"

namespace tailcap::pipeline {

class SecondLook : public SecondReading {
 public:
  SecondLook(model::ExchangeId id, bool with_lanes, const Past* past)
      : id_(id),
        with_lanes_(with_lanes),
        wire_(partly_read(past), past ? past->numbers : exchanges::Exchanges::Numbers()) {}

  void begin(const model::RequestTable& table, const Recording& recording) override;
  void push(const formats::Event& event) override;

  // Call once, after the last event: the request and its other end, if it was recorded.
  std::vector<model::RequestDetail> ends();
  // These processes in the request's time, and a tenth of it before and after. Empty: its duration is not known.
  model::Lanes lanes(const std::vector<std::uint32_t>& pids);

 private:
  void pair_again(const formats::Event& event);
  std::optional<timeline::LaneCollector> lanes_around(const model::RequestTable& table) const;

  const model::ExchangeId id_;
  const bool with_lanes_;
  std::vector<model::RequestDetail> ends_;
  std::vector<RequestSurroundings> around_;  // of ends_
  std::optional<timeline::LaneCollector> lanes_;
  // Once more: an exchange is too large to be kept of every request.
  ExchangeWire wire_;
};

}  // namespace tailcap::pipeline
