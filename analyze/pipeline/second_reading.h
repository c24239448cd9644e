// What else the second reading of a capture is used for, beside the labels.
#pragma once

#include "analyze/pipeline/pipeline.h"
#include "analyze/pipeline/replay.h"

namespace tailcap::pipeline {

class SecondReading {
 public:
  virtual ~SecondReading() = default;
  // After the first reading: all requests are known, sorted by (start, id).
  virtual void begin(const model::RequestTable& table) = 0;
  // Every event of the second reading.
  virtual void push(const formats::Event& event) = 0;
};

// beside may be null; with options.partition only.
Analysis analyze(Replay& replay, const Options& options, SecondReading* beside);

}  // namespace tailcap::pipeline
