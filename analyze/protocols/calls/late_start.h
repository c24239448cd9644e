// A connection that began before the recording, as far as it may carry calls: it is found by a request and its answer.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "analyze/protocols/http1/lane.h"
#include "formats/calls/stream.h"

namespace tailcap::protocols::calls {

class CallsLateStart {
 public:
  CallsLateStart() = default;
  // Behind a loss: nothing else is found.
  explicit CallsLateStart(formats::calls::Kind only) { finder_.only(only); }
  // True: this run answers the request that is held. It is not held itself.
  bool push(const model::ByteRun& run);
  model::Direction requests() const { return finder_.requests() == 0 ? model::Direction::out : model::Direction::in; }
  // In front of what is held.
  formats::calls::Stream stream() const;
  // The request's runs.
  const std::vector<HeldRun>& held() const { return held_; }

 private:
  formats::calls::Finder finder_;
  std::vector<HeldRun> held_;
  std::optional<HeldRun> before_;  // the last run, if it is short
};

}  // namespace tailcap::protocols::calls
