// How a route's latency goes with what else was under way: the tail at scale.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "analyze/model/label.h"
#include "analyze/model/text_pool.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

// Requests of the route that found `from` to `to` of it under way when they began, themselves included.
struct InFlightBand {
  std::uint32_t from = 0, to = 0;
  std::uint64_t count = 0;
  Duration median{}, p95{};  // p95 meaningful from 100 requests on
};

// In flight on average = rate × mean duration, if every request was seen from beginning to end.
struct LittleCheck {
  double in_flight = 0;  // by counting, unfinished ones until the end of the recording
  double expected = 0;   // rate × mean duration of those that have one
  bool holds = true;     // within 5 %, or too few to say
};

// Requests held up by others on their connection.
struct HeadOfLine {
  Label label = Label::q_hol_h1;
  std::uint64_t requests = 0, connections = 0;
  std::int64_t time = 0;   // ns, over all of them
  ConnectionId worst = 0;  // the connection with most of them
  std::uint64_t worst_requests = 0;
};

// Requests that made several calls at once wait for the slowest of them.
struct FanOut {
  struct Slowest {
    TextId method = 0, route = 0, authority = 0;  // of the call
    std::uint64_t count = 0;                      // requests in which it was the slowest
  };
  std::uint64_t requests = 0;    // that made at least two calls that overlapped
  double calls = 0;              // of one of these, on average
  double quantile = 0;           // 0.95 or 0.99: a call counts as slow beyond this quantile of all those calls,
  Duration limit{};              // which is this
  double slow_calls = 0;         // share of the calls
  double observed = 0;           // share of requests with a slow call
  double independent = 0;        // expected if calls were slow independently of each other
  std::vector<Slowest> slowest;  // most often first; a few
};

// One logical call made several times.
struct RetryStudy {
  std::uint64_t attempts = 0, calls = 0;  // all attempts of the route; the calls that they make up
  std::uint64_t retried = 0;              // calls with more than one attempt
  Duration attempt_mean{}, call_mean{};   // of the retried calls: one attempt; from the first's start to the last's end
};

struct LoadStudy {
  std::vector<InFlightBand> in_flight;
  LittleCheck little;
  std::vector<HeadOfLine> head_of_line;  // most time first
  std::optional<FanOut> fan_out;
  std::optional<RetryStudy> retries;
};

// How requests come, over all routes of the role that was recorded.
struct Arrivals {
  Role role = Role::server;
  std::uint64_t connections = 0;  // with at least two requests
  std::uint64_t next = 0;         // requests that follow another on their connection
  std::uint64_t at_once = 0;      // of these: sent as soon as the one before was answered
  // Nearly all at once: the clients wait for answers before they go on, and what stalls them is sent late or never.
  bool closed_loop = false;
};

}  // namespace tailcap::model
