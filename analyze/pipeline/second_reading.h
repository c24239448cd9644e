// What else the second reading of a capture is used for, beside the labels.
#pragma once

#include <span>

#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/recording.h"
#include "analyze/pipeline/replay.h"

namespace tailcap::pipeline {

class SecondReading {
 public:
  virtual ~SecondReading() = default;
  // After the first reading: all requests are known, sorted by (start, id).
  virtual void begin(const model::RequestTable& table, const Recording& recording) = 0;
  // Every event of the second reading.
  virtual void push(const formats::Event& event) = 0;
  // After the last event. The table is still that of all requests, in the same order.
  virtual void end(const model::RequestTable&) {}
};

// beside: with options.partition only.
Analysis analyze(Replay& replay, const Options& options, std::span<SecondReading* const> beside);

}  // namespace tailcap::pipeline
