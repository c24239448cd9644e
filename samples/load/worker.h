// One thread of load: a set of keep-alive connections in one epoll loop.
//
// Open loop (rate > 0): requests become due at fixed times whatever the server does; latency counts from that
// moment, so a stalled server is charged for the requests it kept waiting. Closed loop: every connection sends its
// next request when it has the answer to the last; latency counts from the send.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "samples/load/histogram.h"
#include "samples/load/mix.h"
#include "samples/load/target.h"

namespace tailcap::samples {

struct LoadPlan {
  Target target;
  std::vector<Template> templates;
  unsigned connections = 1;
  double rate = 0;                            // requests a second of this worker; 0: closed loop
  std::uint64_t requests = 0;                 // maximum; 0: unlimited
  std::int64_t duration_ns = 0;               // no request begins later than this after the start; 0: unlimited
  std::int64_t timeout_ns = 0;                // a response that is incomplete after this is a failure
  std::uint64_t requests_per_connection = 0;  // then a new connection; 0: keep it
  std::string id_prefix;
  std::string more_headers;  // each line ends with CRLF
  std::uint64_t seed = 1;
  bool log = false;
};

struct LoadResult {
  Histogram latency;
  std::uint64_t done = 0, failed = 0, status_5xx = 0, status_4xx = 0, bytes = 0, connects = 0;
  std::uint64_t not_sent = 0;  // due, but still waiting for a connection at the end
  std::int64_t begin_ns = 0, end_ns = 0;
  std::string log;  // JSON lines; see main.cc
};

// Runs the plan to its end. Throws std::system_error if the system refuses a socket or epoll.
LoadResult run_load(const LoadPlan& plan);

}  // namespace tailcap::samples
