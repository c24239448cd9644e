// The Go runtime's activity in one process during the recording.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/wire/exchange.h"
#include "formats/time.h"

namespace tailcap::model {

// How requests are distributed over goroutines.
enum class GoModel : std::uint8_t {
  unknown,         // too little was seen
  per_connection,  // each serves one connection, and all of its requests
  per_request,     // each serves one request, several of a connection
  workers,         // some serve requests of several connections, or some of those of one
};
// "one goroutine per connection"; per_request: "… per stream" where requests are streams of a connection.
std::string_view text_of(GoModel model, Protocol protocol);
std::string_view name_of(GoModel model);

// The serving goroutines of a process, for one protocol.
struct GoUse {
  static constexpr std::size_t kBuckets = 6;  // 1, 2–9, 10–99, 100–999, 1,000–9,999 requests, more

  Protocol protocol = Protocol::unknown;
  std::uint64_t requests = 0;                     // served
  std::uint64_t unknown = 0;                      // requests served by an unknown goroutine
  std::uint64_t goroutines = 0, connections = 0;  // of the other requests; connections 0: not known
  std::uint64_t median = 0, most = 0;             // requests per goroutine; meaningful where goroutines > 0
  std::array<std::uint64_t, kBuckets> histogram{};
  GoModel model = GoModel::unknown;
};

// The time from runnable to running, of goroutines.
struct GoDelay {
  static constexpr std::size_t kBuckets = 9;  // below 1 µs, 10 µs, 100 µs, 1 ms, 5 ms, 10 ms, 20 ms, 100 ms, more
  static constexpr std::uint64_t kForP99 = 100;
  static constexpr std::array<std::int64_t, kBuckets - 1> kLimits = {1'000,     10'000,     100'000,    1'000'000,
                                                                     5'000'000, 10'000'000, 20'000'000, 100'000'000};

  std::string route;  // of the request that the goroutine served meanwhile; empty: the whole process
  std::uint64_t count = 0;
  Duration median{}, p99{}, longest{}, total{};
  std::array<std::uint64_t, kBuckets> histogram{};
};

// Goroutines started by the goroutine that served a request, meanwhile, and alive long after the request's end.
struct GoLeft {
  std::string handler;      // of the requests; empty: not known
  std::string from;         // function with the go statement
  std::string function;     // that they run
  std::uint64_t alive = 0;  // at the end of the recording, or of the process
  std::uint64_t late = 0;   // ended, but later than GoLimits::left_after
  std::uint64_t requests = 0;
  ExchangeId example;  // one of the requests
  Duration longest{};  // after the end of its request
  std::uint64_t count() const { return alive + late; }
};

// One second of a process.
struct GoBusy {
  Time from = kNoTime;
  double goroutines = -1;  // share of GOMAXPROCS that ran one; -1: not known
  double threads = -1;     // share of the CPUs that it may use; -1: not known
};

// A function with many allocations, or with many preemptions of goroutines.
struct GoHot {
  std::string function;                // "[unknown]": not known
  std::uint64_t count = 0, bytes = 0;  // of allocations: estimated from those that were sampled
};

// Allocations of one class of sizes.
struct GoSizes {
  std::uint64_t least = 0, count = 0, bytes = 0;  // as formats::GoAllocations
};

// Preemptions and allocations of the goroutines that served a route, while they served it.
struct GoShare {
  std::string route;
  std::uint64_t requests = 0, preemptions = 0;
  std::uint64_t allocations = 0, bytes = 0;  // estimated, as above
};

struct GoSpan {
  Time from = kNoTime, to = kNoTime;
};

// The memory of a process against the smallest limit that holds for it.
struct GoMemory {
  struct Second {
    Time from = kNoTime;
    std::uint64_t resident = 0;        // bytes, the most; 0: not known
    std::uint64_t heap = 0, live = 0;  // bytes, the last; 0: not known (formats::GoHeap)
    std::uint64_t collections = 0;     // that began
    std::uint64_t group_used = 0;      // bytes of the cgroup with the limit, pages of files included; 0: not known
  };
  // The collector ran often while little of the limit was left.
  struct Thrash {
    Time from = kNoTime, to = kNoTime;
    std::uint64_t collections = 0;
    double per_second = 0;
    double elsewhere = -1;       // per second while more of the limit was left; below 0: too short to say
    std::uint64_t resident = 0;  // bytes, the most
  };
  static constexpr double kNear = 0.9;  // of the limit

  bool heap_told = false;                        // the program's own limit and GOGC are known
  std::int32_t percent = 0;                      // GOGC; below 0: off
  std::uint64_t own_limit = 0, group_limit = 0;  // bytes; 0: there is none
  std::string group;                             // the cgroup with that limit
  std::vector<Second> seconds;                   // in which something is known
  std::vector<Thrash> thrash;                    // in order of time

  // 0: there is none.
  std::uint64_t limit() const {
    return own_limit == 0 || group_limit == 0 ? std::max(own_limit, group_limit) : std::min(own_limit, group_limit);
  }
  bool limited_by_group() const { return group_limit != 0 && group_limit == limit(); }
};

// Limits that the user may set.
struct GoLimits {
  Duration left_after{1'000'000'000};  // a goroutine counts as left behind from that long after its request on
  double busy = 0.95;                  // a second is busy from this share on
};

struct GoStudy {
  static constexpr std::size_t kSpans = 4096;  // of each kind, kept to be drawn

  static constexpr std::uint64_t kStopsForP99 = 100;  // fewer do not support a p99

  std::uint32_t pid = 0;
  std::string comm, version;  // empty: not known
  std::string unsupported;    // which facts are not available and why; empty: all are
  std::uint64_t goroutines_made = 0;
  std::uint64_t goroutines_ended = 0;
  std::uint64_t collections = 0;  // started
  std::uint64_t assists = 0;      // by goroutines that allocate while a collection is on
  std::uint64_t stops = 0;        // stop-the-world phases, from the request for one until goroutines run again
  formats::Duration stop_median{}, stop_p99{}, stop_longest{},
      stop_total{};                    // meaningful where stops > 0, p99 from kStopsForP99 on
  std::uint64_t requests = 0;          // that it served, with a duration
  std::uint64_t requests_stopped = 0;  // requests under way during a stop
  std::vector<GoSpan> cycles, pauses;  // the first collections, from start to end; the first stops
  std::vector<GoSpan> hit;             // the first requests under way during a stop

  bool states_told = false;           // deep profile: the delays are known
  std::vector<GoDelay> delays;        // the whole process first, then routes, most first; empty: none was seen
  std::uint64_t delays_left_out = 0;  // beyond what is kept

  bool ends_told = false;           // ends of goroutines were recorded throughout: `left` is known
  std::vector<GoLeft> left;         // most first
  std::uint64_t left_in_doubt = 0;  // started under requests, but their ends may have been lost

  std::vector<GoUse> use;  // by protocol, of its served requests

  std::uint64_t preemptions = 0;                 // that were seen: deep profile
  std::vector<GoHot> preempted_at;               // most first
  bool allocations_told = false;                 // recording was requested: what follows is known
  std::uint64_t allocations = 0, allocated = 0;  // number, bytes
  Duration allocated_over{};                     // 0: too short for a rate
  std::uint64_t allocated_since = 0;             // part of the allocations that falls in that time
  std::vector<GoSizes> sizes;                    // ascending
  std::vector<GoHot> hot;                        // most bytes first
  std::vector<GoShare> shares;                   // most first

  std::uint16_t processors = 0;  // GOMAXPROCS; 0: not known
  std::vector<GoBusy> busy;      // by second; empty: not known
  GoMemory memory;
  std::uint64_t busy_seconds = 0;  // seconds at GoLimits::busy or above
  GoLimits limits;
};

}  // namespace tailcap::model
