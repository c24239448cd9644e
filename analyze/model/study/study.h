// What tail/ makes of the request table and report/, plot/ render: numbers with their uncertainty, no text layout.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "analyze/model/machine/drop_table.h"
#include "analyze/model/machine/memory_limits.h"
#include "analyze/model/request.h"
#include "analyze/model/sampling/budget.h"
#include "analyze/model/sampling/sampling.h"
#include "analyze/model/study/call_study.h"
#include "analyze/model/study/change_study.h"
#include "analyze/model/study/error_counts.h"
#include "analyze/model/study/go_study.h"
#include "analyze/model/study/health.h"
#include "analyze/model/study/incident.h"
#include "analyze/model/study/load_study.h"
#include "analyze/model/study/tail_study.h"
#include "analyze/model/study/trigger.h"
#include "analyze/model/study/verdict.h"
#include "analyze/model/wall_clock.h"
#include "analyze/model/wire/connection.h"
#include "analyze/model/wire/findings.h"
#include "analyze/model/wire/listen_queue.h"
#include "formats/file/reader.h"
#include "formats/masking.h"
#include "formats/preamble.h"

namespace tailcap::model {

// How far a quantile can be trusted.
enum class Support : std::uint8_t {
  full,         // value and both bounds
  low,          // n_eff * (1 - q) < 10: printed, marked; not to be compared
  lower_only,   // too few for an upper bound: "≥ low"
  refused,      // the data cannot support it; `reason` says why
  no_interval,  // value, but no interval: too few independent periods; `reason` says so
  at_least,     // value is a lower bound, and so is low: requests beyond it broke off or were cut off
};
constexpr std::string_view name_of(Support support) {
  switch (support) {
    case Support::full:
      return "full";
    case Support::low:
      return "low";
    case Support::lower_only:
      return "lower_only";
    case Support::refused:
      return "refused";
    case Support::at_least:
      return "at_least";
    case Support::no_interval:
      return "no_interval";
  }
  return "unknown";
}

struct Quantile {
  double q = 0;
  Support support = Support::refused;
  Duration value{};
  Duration low{}, high{};  // 95 % confidence interval, within this capture
  double effective_n = 0;  // n after the design effect of autocorrelation
  std::string reason;      // why support is not full, as part of a sentence; empty for full
};

inline constexpr std::array<double, 5> kQuantiles = {0.50, 0.90, 0.95, 0.99, 0.999};

// Requests of a route between two quantiles of its duration; means in ns, per phase.
struct Band {
  double from = 0, to = 0;  // quantiles
  std::uint64_t count = 0;
  Duration mean{};
  std::array<double, 6> phases{};  // sum == mean (of requests with a duration)
};

struct CcdfPoint {
  Duration at{};
  double share_above = 0;
};

// One bucket of the latency-over-time plot.
struct TimePoint {
  Time from = kNoTime;
  std::uint64_t count = 0, errors = 0;
  Duration p50{}, p99{}, max{};
};

// Requests delayed by something; times over those requests.
struct HeldUp {
  std::uint64_t count = 0;
  Duration median{}, longest{};
};

struct RouteStudy {
  std::string method, route;
  Role role = Role::server;
  std::string comm;          // of the processes; requests of processes with other names form other routes
  bool name_shared = false;  // processes of another name have a route of this name, too
  std::vector<std::pair<std::string, std::uint64_t>>
      handlers;                       // that served it, and how many of its requests; most first
  std::uint64_t count = 0;            // requests with a duration, complete
  std::uint64_t incomplete = 0;       // seen, but without a known end or beginning
  std::uint64_t tainted = 0;          // of count: with any taint
  std::uint64_t latency_tainted = 0;  // with unknown duration, or with a loss at start or end: limits percentiles
  std::uint64_t client_errors = 0, server_errors = 0, other_failures = 0;
  HeldUp flow_control;                 // HTTP/2: waited for the receiver's window
  HeldUp behind_others, stream_limit;  // at most, see model::BehindOthers and model::StreamLimit
  HeldUp dns, connect, tls_handshake;  // before the first requests of connections (model::Setup), in no duration
  double per_second = 0;               // of count
  std::uint64_t connections = 0;       // with a request of count
  std::optional<Estimate> all;         // where connections are sampled: count, as it would be without
  std::array<Quantile, kQuantiles.size()> latency;
  std::array<Quantile, kQuantiles.size()> first_byte;
  bool of_store = false;  // calls of a database or cache: the errors are its own, not statuses of HTTP
  ErrorCounts errors() const {
    if (of_store) return {.stores = server_errors + client_errors, .other = other_failures};
    return {.server = server_errors, .client = client_errors, .other = other_failures};
  }
  double independent_periods = 0;  // count over the autocorrelation time; below 500 intervals are likely too narrow
  std::uint64_t request_bytes = 0, response_bytes = 0;                  // sums over those known
  std::uint64_t request_bytes_unknown = 0, response_bytes_unknown = 0;  // requests
  std::vector<Band> bands;                                              // 0–50, 50–90, 90–99, 99–100 %
  std::vector<CcdfPoint> ccdf;
  std::vector<TimePoint> over_time;
  std::vector<std::uint32_t> slowest;  // indexes into the table, slowest first
  std::optional<CallStudy> calls;      // of gRPC
  std::optional<TailStudy> tail;       // unset: no request of the route has a partition
  std::optional<Verdict> unfinished;   // of its requests that had no answer when the recording ended
  std::optional<Verdict> failing;      // of its requests that failed
  std::optional<Verdict> undelivered;  // of its responses that were kept back after they were sent
  LoadStudy load;
};

struct LossSpan {
  Time from = kNoTime, to = kNoTime;
  std::uint64_t count = 0;
  std::string what;  // "ring full: receive", "damaged block", …
};

struct ProcessSummary {
  std::uint32_t pid = 0;
  std::string comm, command_line;
  std::uint64_t requests = 0;
  bool recorded =
      true;  // false: others of the capture were described, this one never, and none of its threads was seen
  std::string served_at;  // a local endpoint of its requests; empty: it served none
};

struct Quality {
  Sampling sampling;
  Budget budget;
  std::optional<Estimate> all_requests;  // likewise, of exchanges
  formats::Preamble preamble;
  formats::FileSummary file;
  Time read_from = formats::kNoTime;   // of what is before, only a part was read; kNoTime: all of it
  Time read_until = formats::kNoTime;  // what is behind it was not read; kNoTime: all of it was
  bool part_read() const { return formats::known(read_from) || formats::known(read_until); }
  Duration duration{};
  std::uint64_t events = 0, lost = 0;
  std::uint64_t samples = 0;  // of the CPU
  std::uint64_t unseen = 0;   // upper bound of requests lost entirely, if each I/O carries one
  std::uint64_t requests = 0, complete = 0, incomplete = 0, unknown = 0, tainted = 0;
  std::uint64_t exchanges = 0;                   // requests, those recorded at both ends once
  std::uint64_t both_ends = 0;                   // of exchanges
  ErrorCounts errors;                            // of exchanges
  std::uint64_t retries = 0, retried_calls = 0;  // requests that repeat others; calls that were repeated
  std::uint64_t retries_inferred = 0;            // retries not known from gRPC's own header
  std::uint64_t connections = 0, connections_http = 0, connections_other = 0;
  std::uint64_t connections_encrypted = 0;  // TLS without recorded plaintext
  // Connections that the recorded processes accepted, or may have accepted: those that moved bytes, and
  // those of TLS that were not read. Where nothing of TLS was read, of those that they made as well.
  std::uint64_t connections_moved = 0, connections_unread = 0;
  TlsSessions tls;                       // recorded plaintext
  std::uint64_t failed_connections = 0;  // refused, timed out, reset before any request
  std::uint64_t retransmits = 0;
  static constexpr std::size_t kMaxDrops = 100;  // that are listed
  bool drops_recorded = false;
  std::vector<DroppedPackets> drops;  // whose destination was an end of a recorded connection, most first
  std::int64_t realtime_offset = 0;   // add to a Time to get ns since 1970, at the start
  WallClock clock;                    // the same for any time
  Duration clock_error{};             // bound of the conversion
  bool clock_stepped = false;         // CLOCK_REALTIME was set while recording
  Duration recorder_cpu{};            // 0 with recorder_known false: unknown
  std::uint64_t recorder_resident = 0;
  bool recorder_known = false;
  std::uint64_t program_runs = 0;
  Duration program_time{};   // 0: the kernel did not measure
  formats::Masking masking;  // sums
  bool masking_known = false;
  formats::Masking masking_before;  // of the recording before this part of it began; no calls
  std::vector<LossSpan> losses;
  std::vector<ProcessSummary> processes;  // that served or made requests
  Findings findings;
};

struct ConnectionFailure {
  std::string peer;
  std::string cause;  // "refused", "timed out", "reset by peer", "unreachable", …
  std::uint64_t count = 0;
};

// TLS connections with one peer, known from their records.
struct TlsPeer {
  Role role = Role::server;  // of the recorded end
  bool role_known = false;   // false: they were open before the recording, and peer and name are empty
  std::string peer;          // client: the remote endpoint; server: the local one
  std::string server_name;   // SNI; empty: none was sent or seen
  std::string version;       // "TLS 1.3" if all agree, "several", or empty: not known
  std::uint64_t connections = 0;
  std::uint64_t encrypted = 0;                     // connections without plaintext: their requests are unknown
  std::uint64_t unread = 0;                        // of these, the ones at which a request may have been sent
  std::uint64_t done = 0, failed = 0;              // handshakes; the others were cut off or are not known
  std::uint64_t resumed = 0, resumed_unknown = 0;  // of those done
  std::uint64_t bytes_in = 0, bytes_out = 0;
  Duration median{};        // of handshakes that are done, from began to done; meaningful where timed > 0
  std::uint64_t timed = 0;  // handshakes behind the median; the first 4,096 of a peer
  std::vector<std::pair<std::string, std::uint64_t>> failures;  // cause, count; most first
};

// Lookups of one name at one name server. A question for A and one for AAAA are two.
struct NameStudy {
  std::string name, server;
  std::uint64_t lookups = 0;
  std::uint64_t answered = 0;    // without error; the answer may still have no address
  std::uint64_t repeated = 0;    // asked more than once
  std::uint32_t attempts = 0;    // the largest number of questions for one lookup
  Duration median{}, longest{};  // from the first question to the answer; meaningful where timed > 0
  std::uint64_t timed = 0;       // lookups behind the median; the first 1,024 of a name
  std::vector<std::pair<std::string, std::uint64_t>> failures;  // "NXDOMAIN", "no answer", …; most first
};

struct Study {
  Quality quality;
  std::vector<RouteStudy> routes;      // most total time first
  std::vector<std::uint32_t> slowest;  // over all routes, server role first choice; indexes into the table
  std::vector<ConnectionFailure> failures;
  std::vector<Trouble> troubles;    // in order of time
  std::vector<TlsPeer> tls;         // most connections first
  std::vector<ListenQueue> queues;  // that were full and dropped attempts to connect; most first
  std::unordered_map<ConnectionId, std::uint32_t> queue_of;  // of these, the one that a connection was accepted from
  std::vector<NameStudy> names;                              // most lookups first
  std::vector<GoStudy> go;                                   // by process
  std::vector<Incident> incidents;                           // by time
  std::vector<Verdict> verdicts;                             // those worth reading first
  CpuShortage shortage;
  ChangeStudy changes;
  MemoryLimits memory;
  Health health;
  std::vector<Trigger> triggers;  // largest difference first
  Arrivals arrivals;
  Time begin = kNoTime, end = kNoTime;
};

}  // namespace tailcap::model
