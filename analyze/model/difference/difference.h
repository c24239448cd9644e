// What differs between two captures: numbers with intervals and facts; sentences are made in report/diff.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "analyze/model/difference/side.h"
#include "analyze/model/gate/metric.h"

namespace tailcap::model::difference {

// One number of both sides, A and B.
struct Contrast {
  gate::Metric metric{};
  bool known = false;
  std::string missing{};          // why not
  std::array<double, 2> level{};  // ns, share, number per request
  // B less A: of relative metrics a ratio (0.1 is +10 %), otherwise absolute. 95 % interval, which allows for what
  // differs between two recordings of one service.
  double change = 0, low = 0, high = 0;
  bool exact = false;     // every request of a side has the same number: the interval is a point
  double p = 1;           // that two recordings of one service differ so
  double slack = 0;       // counts: what calls without a known parent could add, either way
  double detectable = 0;  // the change that 80 % of such pairs of captures would show
  bool changed = false;   // beyond all of that, among all that were compared, and worth a word
};

// Calls of one statement, or to one route, by the requests of a route.
struct CalleeContrast {
  std::string callee;                    // "GET /stock"
  std::array<std::uint64_t, 2> calls{};  // in all
  Contrast per_request;
};

// CPU time in a function of the program, without the functions that it called.
struct FunctionContrast {
  std::string name, caller;  // caller: that most of the change comes from; empty: several, or not known
  std::array<std::uint64_t, 2> samples{};
  Contrast time;  // ns a request
};

struct RouteDifference {
  gate::RouteName name;
  std::array<std::uint64_t, 2> requests{};
  std::array<double, 2> per_second{};
  std::array<ReportedRoute, 2> facts;
  std::array<std::vector<std::pair<std::int64_t, double>>, 2> curve;  // ns; share of requests that took longer
  std::string missing;                                                // why nothing is compared; empty: it is
  std::vector<Contrast> metrics;                                      // own_mean first
  std::vector<Contrast> labels;         // largest change first; over all of them the levels sum to the mean duration
  std::vector<CalleeContrast> callees;  // largest change first
  std::vector<FunctionContrast> functions;  // likewise
  std::string most_called;                  // that a request of B makes most calls of; of A where it makes none

  bool one_sided() const { return requests[0] == 0 || requests[1] == 0; }
  const Contrast* find(gate::Metric::Kind kind, std::uint8_t which = 0) const {
    for (const Contrast& c : metrics)
      if (c.metric == gate::Metric{kind, which}) return &c;
    return nullptr;
  }
};

struct EdgeDifference {
  std::string from, to, protocol;
  std::array<std::uint64_t, 2> calls{}, failed{};
  std::array<double, 2> per_second{};
  std::array<Quantile, 2> p50;
};

// A route whose requests changed.
struct RouteChange {
  std::uint32_t route = 0;
  double weight = 0;               // of the time, or requests, of all routes
  std::int32_t explained_by = -1;  // a change of a route that it calls, in Difference::changes; -1: none
};

struct SettingDifference {
  Setting::Kind kind = Setting::Kind::machine;
  std::string name, first, second;  // empty: not known, or not there
};

// As Difference says of a side.
struct SideSummary {
  std::string file, path, part;
  std::int64_t begin = 0, end = 0;  // ns since 1970; 0: not known
  double seconds = 0, per_second = 0, under_way = 0;
  std::uint64_t requests = 0;
  double cpu = 0, cpu_waits = 0;  // ns a request, on a CPU and waiting for one: served requests
  bool whole = true;
  std::uint64_t lost = 0, undecided_calls = 0;
};

struct Difference {
  std::array<SideSummary, 2> sides;
  bool same = false;                    // both are one capture
  bool one_recording = false;           // both come of one recording
  std::vector<RouteChange> changes;     // what changed most first
  std::vector<RouteDifference> routes;  // most requests first
  std::vector<EdgeDifference> edges;
  std::vector<gate::SoftwareChange> software;
  std::vector<SettingDifference> settings;
  std::string no_functions;  // why functions are not compared; empty: they are
  std::size_t compared = 0;  // numbers that a change could have been found in
  Flame flame;               // of B against A; no stacks: not both sides have samples
  std::string flame_image;   // SVG, where a page was asked for
};

// Served requests are what is said first; calls are seen in the requests that made them.
inline bool any_served(const Difference& d) {
  for (const RouteDifference& r : d.routes)
    if (r.name.role == Role::server) return true;
  return false;
}

}  // namespace tailcap::model::difference
