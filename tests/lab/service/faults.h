// The ways in which a handler is slow; the service measures the duration around the act itself.
#pragma once

#include <cstdint>
#include <string>

#include "tests/lab/service/request.h"

namespace tailcap::lab {

struct Means {
  std::string file;  // for faults that need one
  std::string pipe;
};

struct Done {
  std::int64_t injected_ns = 0;
  std::string body = "ok\n";
  int status = 200;  // 502: a service that the handler needs did not answer
};

// ok; sleep, spin, contend MS; lock, flock, mlock MS; pages N; direct, sync, file KIB; pipe KIB; down, retry PORT/PATH;
// name N/PORT/PATH; gone N/PORT/PATH (a name that does not exist); big KIB; small BYTES; pieces MS (three of 1 KiB, so
// long apart); reset N (resets the connection). An argument of 0 does nothing, so that slow and typical requests share
// a route.
Done serve(const Request& request, const Means& means);

}  // namespace tailcap::lab
