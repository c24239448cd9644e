// Cuts an exchange at its milestones into phases, and says what its thread did meanwhile. Both partitions are exact.
#pragma once

#include <cstdint>
#include <memory>

#include "analyze/flow/exchange.h"
#include "analyze/flow/findings.h"
#include "analyze/flow/request.h"

namespace tailcap::timeline {

class Timeline {
 public:
  Timeline();
  ~Timeline();
  // Off-CPU intervals, starts, exits and losses of threads; everything else is ignored.
  void push(const formats::Event& event);
  // Fills start, duration, first_byte, phases, thread_time and their has_… flags; adds taints.
  void measure(const flow::Exchange& exchange, flow::Request& row);
  // No later exchange will begin before this: waits that ended earlier may be forgotten.
  void forget_before(formats::Time t);
  const flow::Findings& findings() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tailcap::timeline
