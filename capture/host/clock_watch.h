// Notices that CLOCK_REALTIME was set.
#pragma once

#include "capture/host/descriptor.h"

namespace tailcap::capture {

class ClockWatch {
 public:
  ClockWatch();  // throws std::system_error
  // Readable after the clock was set.
  int descriptor() const { return timer_.get(); }
  // Whether it was set since the last call.
  bool was_set();

 private:
  Descriptor timer_;
};

}  // namespace tailcap::capture
