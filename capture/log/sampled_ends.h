// How many connections of a sample were recorded, and left out.
#pragma once

#include "capture/log/event_log.h"
#include "capture/log/statements.h"
#include "capture/probes/probes.h"

namespace tailcap::capture {

class SampledEnds {
 public:
  // All must outlive this object.
  SampledEnds(const Probes& probes, EventLog& log, Statements& statements)
      : probes_(probes), log_(log), statements_(statements) {}

  void push(formats::Time now);  // where it has changed

 private:
  const Probes& probes_;
  EventLog& log_;
  Statements& statements_;
  Probes::Sampled told_;
};

}  // namespace tailcap::capture
