// What was slow, and why: the answers with which a report begins.
//
// Four statements are kept apart, and no doubt about one hides another. The account: what the requests waited for
// (parts, slow, typical). The origin of each part: what is responsible for it. The pattern: how the requests lie in
// time. The level: whether it matters. All durations are ns.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyze/model/label.h"
#include "analyze/model/machine/users.h"
#include "analyze/model/partition.h"
#include "analyze/model/study/failure.h"
#include "analyze/model/study/flame.h"
#include "analyze/model/text_pool.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

// A blocker behind the time of a label, in the slow requests.
struct CulpritStudy {
  Label label = Label::unexplained_nocarrier;
  std::uint64_t what = 0;   // lock: its address; device; CPU quota: which of Partitions::groups(), from 1; otherwise 0
  std::string lock = {};    // the lock's name; empty: not known
  std::string device = {};  // the block device's name; empty: none, or not known
  CpuGroup group = {};      // the group of the CPU quota; path empty: none
  SocketPeer peer = {};     // on which they waited; address empty: none, or not known
  TextId method = 0, route = 0,
         authority = 0;   // of the blocking request: the call, the lock holder's, the neighbour's
  TextId comm = 0;        // the process of that request
  std::uint32_t tid = 0;  // lock holder or waker, where it is always the same thread
  std::uint32_t pid = 0;  // its process, and the names of both; 0, empty: not known
  std::string process = {}, thread = {};
  TextId at = 0;                                // a call: the other end of its connection
  std::vector<CpuTaker> users = {};             // CPU quota: who used it meanwhile, most first; empty: not known
  std::uint64_t slow = 0;                       // slow requests that it delayed
  std::int64_t time = 0;                        // sum over those
  Label inside = Label::unexplained_nocarrier;  // a call: the main label of its server meanwhile
  std::int64_t inside_time = 0;                 // time under `inside`, summed; 0: the server was not recorded
  ExchangeId example = {};                      // the request behind the longest delay; connection 0: none known
  ExchangeId held_up = {};                      // the slow request that it delayed longest
};

enum class VerdictScope : std::uint8_t { route, process, machine };
std::string_view name_of(VerdictScope scope);

enum class VerdictKind : std::uint8_t {
  nothing,      // nothing unusual
  few,          // too few requests to compare: their account
  usual,        // every request waits for it
  tail,         // the slowest requests compared with typical ones
  unfinished,   // requests that had no answer when the recording ended
  failing,      // requests that failed
  undelivered,  // responses that their service had written, and that went out only later
};
std::string_view name_of(VerdictKind kind);

// What is responsible for a part.
enum class Origin : std::uint8_t {
  unexplained,      // what the requests did is not known
  machine,          // others used the CPUs
  hypervisor,       // it took the CPUs away
  recorder,         // the recorder used them
  own_load,         // the recorded processes used the CPUs
  passed_on,        // a true wait, but while the machine or the hypervisor was short of CPU, which may be why
  machine_or_code,  // on CPU or deprived of it by the hypervisor: this capture cannot tell
  service,          // the label stands for itself
  spread,           // the slow end of the usual spread
};
std::string_view name_of(Origin origin);

enum class Pattern : std::uint8_t {
  single,     // one request
  incident,   // one burst
  incidents,  // fewer bursts than chance would make
  periodic,   // bursts at regular distances
  always,     // every request
  recurring,
};
std::string_view name_of(Pattern pattern);

enum class VerdictLevel : std::uint8_t { nothing, note, notable, severe };
std::string_view name_of(VerdictLevel level);

// What the one behind a part, or behind the step before, did in that time.
struct VerdictStep {
  Label label = Label::unexplained_nocarrier;
  std::int64_t slow = 0;            // mean per request
  std::optional<CulpritStudy> who;  // behind it
};

// A cgroup whose memory limit was reached meanwhile.
struct MemoryPressure {
  std::string cgroup;
  std::uint64_t limit = 0, reached = 0;  // bytes; how often
  std::vector<MemoryHolder> users;       // processes in it with most memory of their own, most first; empty: not known
};

// Part of what the requests have more time of. Labels that are one thing to a reader are one part: all waits for a CPU,
// all time on one.
struct VerdictPart {
  Label label = Label::unexplained_nocarrier;  // the one with the largest difference
  std::vector<Label> labels;
  Origin origin = Origin::spread;
  std::int64_t slow = 0, typical = 0;  // mean per request
  double crowded = 0;                  // share of its time in which other recorded threads were queued for a CPU
  double stolen = 0;                   // share of its time in requests from which the hypervisor took CPU time
  std::uint64_t mainly = 0;            // requests that it slowed down most
  bool inferred = false;               // more than half of it was not measured
  std::optional<CulpritStudy> who;     // behind most of it
  std::vector<DiskUser> disk_users;  // a wait for a disk: who used disks around it, most bytes first; empty: not known
  std::optional<MemoryPressure> memory;  // a wait for memory or a disk; unset: no limit was reached, or not known
  std::vector<VerdictStep> chain;        // what was behind that, the way that most of its time went; empty: not known
  bool beyond_capture = false;           // the chain goes on with somebody who was not recorded
  Label root = Label::unexplained_nocarrier;  // what most of its time was in the end; `label` where that is not known
  std::int64_t difference() const { return slow - typical; }
};

// Requests of an answer that were slow for one reason.
struct SlowCause {
  VerdictPart part;  // what they waited for: means over these
  std::uint64_t requests = 0;
  std::int64_t slow = 0;    // mean duration
  bool besides = false;     // not among the answer's slow requests: slower than typical ones, and nearer to these
  ExchangeId example = {};  // the slowest
};

// Slow requests close in time.
struct Burst {
  formats::Time from = formats::kNoTime, to = formats::kNoTime;
  std::uint64_t requests = 0;
};

// Requests of another route that were slow because they waited for these.
struct Felt {
  std::uint32_t route = 0;  // index into Study::routes
  std::uint64_t requests = 0, of = 0;
};

// What most of the slow requests have, and few of the others.
struct SharedTrait {
  enum class Kind : std::uint8_t {
    host,
    connection,
    thread,
    path,
    authority,
    first,
    request_size,
    response_size,
    load,
    header,
    calls
  };
  Kind kind = Kind::connection;
  std::string value;  // host: "10.0.0.2"; connection: "10.0.0.2:4711"; path, authority: as sent; header: "name: value";
                      // calls: "10.0.0.5:5432 (SELECT * FROM items)"; otherwise empty
  std::int64_t number = 0;  // thread: its id; sizes: bytes at least; load: requests under way, calls: of it, at least
  std::uint64_t slow = 0, of_slow = 0;      // slow requests that have it
  std::uint64_t others = 0, of_others = 0;  // and of all other requests of the route
  double chance = 1;                        // at most: that as many would have it by chance
};
std::string_view name_of(SharedTrait::Kind kind);

// Calls that the requests of a route make from some moment on, and none of them made before.
struct NewCalls {
  std::string what;  // "GET /recommend at 10.0.0.5:8080"
  formats::Time since = formats::kNoTime;
  std::uint64_t before = 0;                          // requests before
  std::uint64_t after = 0, of = 0;                   // requests since then that make it; of all since then
  std::int64_t time = 0;                             // mean duration of these calls per request that makes one
  std::int64_t median_before = 0, median_after = 0;  // of the requests
  bool other_processes = false;                      // those that served the requests before served none since then
};

struct Verdict {
  VerdictScope scope = VerdictScope::route;
  VerdictKind kind = VerdictKind::nothing;
  VerdictLevel level = VerdictLevel::nothing;
  Pattern pattern = Pattern::recurring;
  std::vector<std::uint32_t> routes;   // indexes into Study::routes
  std::vector<VerdictPart> parts;      // largest difference first; empty: many small differences
  std::vector<SlowCause> by_cause;     // most time first, those besides last; empty: one reason, or many
  bool ranked = true;                  // false: more time is lost than lies between the first two labels
  std::uint64_t requests = 0, of = 0;  // slow, or failed; compared
  std::int64_t slow = 0, typical = 0;  // mean duration; usual: of the typical requests in both
  std::int64_t excess = 0;             // duration beyond the typical one, summed over the slow requests
  std::int64_t oldest = 0;  // unfinished: how long the oldest had been under way; slow: kUnfinishedShown at most
  std::int64_t lost = 0;    // mean time of a slow request in lost events
  std::vector<Burst> when;  // in order of time
  double rate_low = 0, rate_high = 0;   // 95 % interval of bursts per minute, if they are at random; both 0: not known
  bool kind_of_their_own = false;       // a gap separates them from the other requests
  std::vector<ExchangeId> examples;     // the slowest first
  std::vector<SharedTrait> shared;      // the least likely first; few
  std::vector<FailedEnd> ends;          // failing: most frequent first
  std::vector<FailureCause> causes;     // failing: most frequent first; few
  std::vector<Felt> felt;               // most requests first
  std::uint64_t unanswered = 0;         // further requests of the route, no older than others that ended, had no answer
                                        // when the recording ended
  double window_share = 0;              // undelivered: of that time, in which the peer's receive window was the reason
  bool cut_off = false;                 // unfinished: the end of the recording explains as many that are as old
  std::optional<NewCalls> new_calls;    // unset: none that slow its requests down
  std::optional<HotFunction> function;  // on a CPU in these requests; unset: not known
  std::optional<WaitingFunction> waiting;  // for the first part that is a wait; unset: not known
  std::uint32_t waiting_part = 0;          // its index
  std::int32_t part_of = -1;               // index of the verdict that explains it, in Study::verdicts; -1: none
  std::int64_t explained = 0;              // scope machine: of the excess
};

// Stretches in which the machine was short of CPU.
struct CpuShortage {
  std::int64_t total = 0;  // ns in which recorded threads were queued for at least Crowd::kLeastWait
  double own = 0;          // CPU time of the recorded processes meanwhile, in CPUs
  unsigned cpus = 0;
  std::int64_t stolen = -1;         // ns that the hypervisor took from all CPUs, of the whole recording; -1: not known
  Origin origin = Origin::machine;  // what caused it, on the whole
  bool takers_known = false;        // whether the following are; meanwhile, to a tenth of a second
  double steal = 0;                 // in CPUs; likewise
  double recorder = 0;
  std::vector<CpuTaker> takers;  // other processes than the recorder, most first
  std::vector<Burst> episodes;   // merged across 100 ms; requests: slow ones in it
};

}  // namespace tailcap::model
