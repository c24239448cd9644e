// What comparing repeated runs gives: estimates with intervals, gates with verdicts, and what stands against comparing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyze/model/gate/metric.h"
#include "analyze/model/gate/plan.h"
#include "analyze/model/gate/run.h"

namespace tailcap::model::gate {

enum class GateVerdict : std::uint8_t { pass, fail, undecided };
std::string_view name_of(GateVerdict verdict);

// "p99(/pay) > +10%": the increase that is not accepted.
struct Gate {
  enum class Unit : std::uint8_t {
    ratio,     // of the base value: 0.10
    absolute,  // ns, a number per request, or a share (0.01 is one point)
  };
  Metric metric;
  std::string route;  // "POST /pay", "/pay"; empty: all
  double threshold = 0.10;
  Unit unit = Unit::ratio;
  std::string text;                    // as it was written; empty: it is one of the default
  std::optional<RouteName> exactly{};  // this route only, whatever `route` says
};

enum class Method : std::uint8_t {
  runs_welch,   // several runs a side
  blocks,       // one long run a side, cut into blocks of time; how runs vary is known from others
  duet_paired,  // both versions at once, run by run
};
std::string_view name_of(Method method);  // "runs-welch", …

struct CompareOptions {
  std::optional<Method> method;  // unset: by the runs that there are
  std::vector<Gate> gates;       // empty: those of compare/default_gates.h
  std::size_t min_runs = 5;
  bool strict = false;  // fail only where the lower bound is above the threshold
  bool allow_sequential = false;
  bool self = false;    // both sides are runs of one version: nothing fails
  double level = 0.05;  // of the one-sided tests, over all gates
  std::size_t screened =
      0;  // the first `screened` runs of each side flagged; compare/confirm.h. 0: there was no screening
};

// The new side against the base. For relative metrics difference, low, high and mde are ratios (0.10 is +10 %),
// otherwise absolute.
struct GateEstimate {
  bool known = false;
  bool levels = false;         // base and fresh are known, whatever else is not
  std::string missing;         // why not
  bool exact = false;          // every request of each side has the same number: the interval is a point
  bool steady = false;         // nearly every request of the base has the same number
  double base = 0, fresh = 0;  // ns, share, number per request
  bool base_at_least = false, fresh_at_least = false;  // a lower bound: requests broke off, or were cut off
  double difference = 0;
  double low = 0, high = 0;  // 90 % interval
  double mde = 0;            // MDE80: the increase that would be found in 80 % of such comparisons
  double se = 0, df = 0;     // of the difference; relative: of its logarithm
  double p_above = 1;        // that chance makes such an increase
  double p_two = 1;          // such a difference
  double slack = 0;  // counts: what calls without a known parent, or requests without a count, could add, either way
  bool noticed = false;  // advisory: below 5 % false discoveries, and larger than is of no account
};

struct MetricRow {
  Metric metric;
  GateEstimate estimate;
};

// Means of one account in all requests, or in the slowest 1 %. Over all accounts the integers sum to the total's.
struct AccountRow {
  std::size_t account = 0;
  std::int64_t base = 0, fresh = 0;  // ns per request
  GateEstimate estimate;
  std::int64_t difference() const { return fresh - base; }
};
struct AccountTable {
  bool known = false;
  std::int64_t base = 0, fresh = 0;
  std::vector<AccountRow> rows;  // largest difference first
  std::int64_t difference() const { return fresh - base; }
};

// Calls of one statement, or to one route, per request.
struct CalleeChange {
  std::string name;  // "GET /stock"
  double base = 0, fresh = 0;
  double difference() const { return fresh - base; }
};

struct RouteComparison {
  RouteName name;
  std::vector<std::uint64_t> base_requests, fresh_requests;  // per run, with a duration
  std::uint64_t compared = 0;                                // per run, where they were cut to the shortest; 0: not
  std::string absent;                                        // why nothing is compared; empty: it is
  std::uint64_t bursts = 0;                                  // in all runs
  double decorrelation = 0;                                  // seconds, the largest of all runs
  std::vector<std::pair<std::int64_t, double>> base_curve, fresh_curve;  // ns; share of requests that took longer
  std::vector<MetricRow> metrics;
  AccountTable all, slow, own;        // own: of the requests with the longest own time, of that only
  std::vector<Blocker> blockers;      // of the new side's slowest requests
  std::vector<CalleeChange> callees;  // largest difference first
};

// Calls per incoming request, of all incoming requests together: none is left out, whichever of them made it.
struct CallRow {
  RouteName name;  // as called
  GateEstimate estimate;
};

// The CPU time that requests of a route spent in a function of the program, without the functions that it called.
struct FunctionRow {
  std::size_t route = 0;     // index into Comparison::routes
  std::string name, caller;  // caller: that called it for most of the change; empty: several, or not known
  std::uint64_t base_samples = 0, fresh_samples = 0;
  double p_holm = 1;      // over all functions of all routes
  GateEstimate estimate;  // ns per request; noticed: below 5 % by p_holm, and large
};
struct FunctionComparison {
  bool sampled = false;                               // any run has samples
  std::string missing;                                // why nothing is compared; empty: it is
  std::uint64_t base_samples = 0, fresh_samples = 0;  // inside requests that count
  std::size_t compared = 0;                           // functions with enough samples
  std::vector<FunctionRow> rows;                      // those noticed first, then by the difference
};

struct GateResult {
  Gate gate;
  std::size_t route = 0;  // index into Comparison::routes; meaningful where found
  bool found = false;
  GateVerdict verdict = GateVerdict::undecided;
  std::vector<std::string> missing;  // why it is undecided
  bool longer_runs = false;          // among that: runs are too short, and more of them do not help
  double threshold = 0;              // in the unit of the estimate
  double p_holm = 1;
  GateEstimate estimate;
};

struct Comparison {
  GateVerdict verdict = GateVerdict::undecided;
  Method method = Method::runs_welch;
  std::size_t noise_runs = 0;          // further runs of one version, which show how runs vary
  std::vector<std::string> obstacles;  // the sides cannot be compared, because
  std::vector<std::string> uneven;     // their times cannot be, because; counts that never vary can
  std::string apart;                   // the note of a duet whose two recordings were not made at the same time
  std::vector<std::string> remarks;
  std::vector<SoftwareChange> software;
  std::string same_version;  // not empty: an A/A measurement of this version
  std::vector<GateResult> gates;
  std::vector<std::string> not_gated;  // what the default gates leave out, and why
  std::vector<RouteComparison> routes;
  std::vector<CallRow> called;
  FunctionComparison functions;
  std::size_t base_runs = 0, fresh_runs = 0;
  std::size_t confirming = 0;  // runs a side that did not flag anything; meaningful where options.screened is
  double base_seconds = 0, fresh_seconds = 0;  // sums
  double base_rate = 0, fresh_rate = 0;
  bool interleaved = false, closed_loop = false;
  GatePlan plan;  // where it was asked for
  CompareOptions options;
};

}  // namespace tailcap::model::gate
