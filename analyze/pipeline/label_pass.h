// The second reading: every nanosecond of every request gets its label.
#pragma once

#include <optional>

#include "analyze/partition/partitioner.h"
#include "analyze/pipeline/wire_pass.h"

namespace tailcap::pipeline {

class LabelPass {
 public:
  // After the end of the first reading; wire must outlive this, and its requests must not change.
  LabelPass(WirePass& wire, const Options& options);

  void push(const formats::Event& event) { partitioner_->push(event); }
  // To be called after the last event. Returns the courses from which those of the exemplars are taken.
  partition::CourseBook finish(Analysis& out);

 private:
  WirePass& wire_;
  std::optional<partition::Partitioner> partitioner_;  // none once it is finished: its memory is free for the study
};

}  // namespace tailcap::pipeline
