// One recording as a repeated run: what a comparison needs of its requests, without the warm-up.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "analyze/model/gate/metric.h"
#include "analyze/model/gate/software.h"
#include "analyze/model/wire/exchange.h"
#include "formats/preamble.h"

namespace tailcap::model::gate {

struct RouteName {
  Role role = Role::server;
  std::string method, route;
  std::string comm;  // empty where it does not distinguish the routes of any run
  auto operator<=>(const RouteName&) const = default;
};

// A request whose end is known: it has a duration that counts, or it failed.
struct RunObservation {
  ExchangeId id;
  std::int64_t start = 0;      // ns after the warm-up
  std::int64_t duration = -1;  // ns; -1: none
  std::int64_t at_least = -1;  // ns that one lasted at least that broke off; -1: it did not
  bool failed = false, client_error = false;
  std::uint32_t accounts_at = 0, accounts_n = 0;  // in RouteRun::accounts; they sum to the duration
  std::uint32_t waits_at = 0, waits_n = 0;  // in RouteRun::waits; they sum to its count of waits, where that is known
  std::array<std::int64_t, kCounts> counts{};  // -1: not known
};

// A blocker behind the time under a label.
struct Blocker {
  std::size_t account = 0;
  std::string text;       // "held by POST /restock"
  std::int64_t time = 0;  // ns, of the slowest 1 %
};

// Samples of threads on a CPU, inside requests, whose innermost function of the program is this one.
struct FunctionSamples {
  std::string name, caller;  // caller: the function of the program that called it; empty: none is known
  std::uint64_t samples = 0;
};

// Calls of RouteRun::callees[callee] that a request made.
struct CallsMade {
  std::uint32_t request = 0, callee = 0, calls = 0;
};

// What is known of the samples of a run.
struct RunSampling {
  bool any = false;             // it has samples
  std::int64_t period = 0;      // CPU time that one stands for, ns
  std::uint64_t undecided = 0;  // inside several requests at once, so that it is not known whose they are
  std::string missing;          // why they tell no CPU time; empty: they do
};

// What a process did between two readings of its counters, by a count of_process, and how many requests it served then.
struct ProcessReading {
  double amount = 0, requests = 0;
};
inline constexpr std::size_t kProcessCounts = kCounts - static_cast<std::size_t>(Count::allocations);

struct RouteRun {
  RouteName name;
  std::vector<RunObservation> requests;                         // in the order of their beginning
  std::vector<std::pair<std::uint8_t, std::int64_t>> accounts;  // ns
  std::vector<std::pair<std::uint8_t, std::int32_t>> waits;     // by label, how many
  std::uint64_t called = 0;                                     // of the requests: calls that recorded requests made
  std::uint64_t doubtful = 0;                                   // further requests without a duration that counts
  std::uint64_t in_flight = 0;                                  // further ones that the recording cut off
  std::vector<std::int64_t> cut_off;                            // ns that those of them lasted at least, where known
  double decorrelation = 0;                                     // seconds between independent requests
  std::array<std::string, kCounts> uncounted;                   // why a count is not known of some requests
  std::array<std::vector<ProcessReading>, kProcessCounts>
      readings;                                                // by count, from Count::allocations on; empty: not known
  std::vector<std::uint32_t> processes;                        // that its requests were recorded in
  std::uint64_t bursts = 0;                                    // clusters in time of the slowest 1 %
  std::vector<Blocker> blockers;                               // most time first
  std::vector<std::pair<std::string, std::uint64_t>> callees;  // "GET /stock", calls; most first
  std::vector<CallsMade> made;                                 // by request; only where it was asked for
  std::string most_called;                                     // of these, the one that a request made most calls of
  std::vector<FunctionSamples> functions;                      // of the requests
  std::uint64_t samples = 0;                                   // on a CPU, of the requests; some in no function

  // The waits of a request that began under this label; -1: not known.
  std::int64_t waits_under(const RunObservation& o, std::size_t label) const {
    if (o.counts[static_cast<std::size_t>(Count::waits)] < 0) return -1;
    for (std::size_t i = 0; i < o.waits_n; ++i)
      if (waits[o.waits_at + i].first == label) return waits[o.waits_at + i].second;
    return 0;
  }
  // The request's number for a metric that is counted, but not of a process; -1: not known.
  std::int64_t number_of(const RunObservation& o, const Metric& metric) const {
    return metric.kind == Metric::Kind::waits ? waits_under(o, metric.which) : o.counts[metric.which];
  }
  // Why such a number is not known of some requests.
  const std::string& why_unknown(const Metric& metric) const {
    return uncounted[metric.kind == Metric::Kind::waits ? static_cast<std::size_t>(Count::waits) : metric.which];
  }
  const std::vector<ProcessReading>& read(std::size_t count) const {
    return readings[count - static_cast<std::size_t>(Count::allocations)];
  }
  std::vector<ProcessReading>& read(std::size_t count) {
    return readings[count - static_cast<std::size_t>(Count::allocations)];
  }
};

struct Run {
  std::string file;  // its name, and where it was read
  std::string path;
  formats::Preamble preamble;
  double seconds = 0;               // without the warm-up
  double warm_up = 0;               // seconds that were left out
  std::int64_t begin = 0, end = 0;  // ns since 1970, of the whole recording; 0: not known
  std::uint64_t requests = 0;       // of the role that counts as load
  bool closed_loop = false;
  std::int64_t stolen = -1;            // ns that the hypervisor took from all CPUs; -1: not known
  bool whole = true;                   // the capture is complete and was read to its end
  std::uint64_t lost = 0;              // events
  std::uint64_t undecided_calls = 0;   // calls with several possible parents
  std::uint64_t undecided_failed = 0;  // of these, failed_calls
  bool clock_stepped = false;
  Software software;
  RunSampling sampling;
  std::vector<RouteRun> routes;

  // What a request's count of calls leaves out.
  std::uint64_t undecided(std::size_t count) const {
    return count == static_cast<std::size_t>(Count::failed_calls) ? undecided_failed : undecided_calls;
  }

  double rate() const { return seconds > 0 ? static_cast<double>(requests) / seconds : 0; }
};

}  // namespace tailcap::model::gate
