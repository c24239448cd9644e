// The second reading: every nanosecond of every request gets its label.
#pragma once

#include <optional>
#include <span>
#include <thread>

#include "analyze/partition/partitioner.h"
#include "analyze/pipeline/wire_pass.h"

namespace tailcap::pipeline {

class LabelPass {
 public:
  // After the end of the first reading; wire must outlive this, and its requests must not change.
  LabelPass(WirePass& wire, const Options& options);

  // As of Partitioner.
  void push(std::span<const formats::Event> events, bool last_of_block) { partitioner_->push(events, last_of_block); }
  // To be called after the last event. Returns the courses from which those of the exemplars are taken.
  partition::CourseBook finish(Analysis& out);
  bool all_courses() const { return all_courses_; }  // of all requests
  ~LabelPass();
  LabelPass(const LabelPass&) = delete;
  LabelPass& operator=(const LabelPass&) = delete;

 private:
  WirePass& wire_;
  std::optional<partition::Partitioner> partitioner_;  // none once it is finished: its memory is free for the study
  bool all_courses_ = false;
  std::thread freeing_;  // it has many parts
};

}  // namespace tailcap::pipeline
