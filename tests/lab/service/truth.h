// The service's own facts about every request: kept in memory and written at the end, so that they cause no waits.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>

#include "tests/lab/service/request.h"

namespace tailcap::lab {

class Truth {
 public:
  void note(const Request& request, std::int64_t begun_ns, std::int64_t injected_ns, std::int64_t done_ns, int status);
  // {"id":…,"path":…,"tid":…,"read_ns":…,"begun_ns":…,"done_ns":…,"injected_ns":…,"status":…} per line; status 0: no
  // answer. Times are CLOCK_MONOTONIC.
  void write(const std::string& file);

 private:
  std::mutex lock_;
  std::string lines_;
};

}  // namespace tailcap::lab
