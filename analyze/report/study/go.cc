#include <algorithm>

#include "analyze/report/study/shapes.h"
#include "formats/machine.h"

namespace tailcap::report::study {
namespace {

using model::GoBusy;
using model::GoDelay;
using model::GoHot;
using model::GoLeft;
using model::GoMemory;
using model::GoShare;
using model::GoSizes;
using model::GoStudy;

struct Bucket {
  std::optional<std::int64_t> below;
  std::uint64_t count;
};
std::vector<Bucket> buckets_of(const GoDelay& d) {
  std::vector<Bucket> out;
  for (std::size_t i = 0; i < d.histogram.size(); ++i)
    out.push_back({i < GoDelay::kLimits.size() ? std::optional(GoDelay::kLimits[i]) : std::nullopt, d.histogram[i]});
  return out;
}
struct Second {
  const GoBusy& busy;
  double limit;
};
std::vector<Second> seconds_of(const GoStudy& g) {
  std::vector<Second> out;
  for (const GoBusy& b : g.busy) out.push_back({b, g.limits.busy});
  return out;
}
auto known_share(double value) { return when(value >= 0, value); }

const StudyShape<GoHot> kHot{
    "hot", {{"function", &GoHot::function}, {"count", &GoHot::count}, {"bytes", &GoHot::bytes, "estimated"}}};
const StudyShape<GoHot> kPreempted{"preempted", {{"function", &GoHot::function}, {"count", &GoHot::count}}};

const StudyShape<GoShare> kShare{"share",
                                 {
                                     {"route", &GoShare::route},
                                     {"requests", &GoShare::requests},
                                     {"preemptions", &GoShare::preemptions},
                                     {"allocations", &GoShare::allocations, "estimated"},
                                     {"bytes", &GoShare::bytes, "estimated"},
                                 }};

const StudyShape<GoSizes> kSizes{"sizes",
                                 {{"least", &GoSizes::least}, {"count", &GoSizes::count}, {"bytes", &GoSizes::bytes}}};

const StudyShape<GoStudy> kAllocations{
    "allocations",
    {
        {"count", &GoStudy::allocations},
        {"bytes", &GoStudy::allocated},
        {"over_ns", [](auto& g) { return when(g.allocated_over.count() > 0, g.allocated_over); },
         "null: too short for a rate"},
        {"count_over", [](auto& g) { return when(g.allocated_over.count() > 0, g.allocated_since); }, "in that time"},
        {"sizes", kSizes, &GoStudy::sizes, "ascending"},
        {"hot", kHot, &GoStudy::hot, "most bytes first"},
    }};

const StudyShape<Bucket> kBucket{"bucket", {{"below_ns", &Bucket::below, "null: no limit"}, {"count", &Bucket::count}}};

const StudyShape<GoDelay> kDelay{"delay",
                                 {
                                     {"route", or_null(&GoDelay::route), "null: the whole process"},
                                     {"count", &GoDelay::count},
                                     {"p50_ns", &GoDelay::median},
                                     {"p99_ns", [](auto& d) { return when(d.count >= GoDelay::kForP99, d.p99); }},
                                     {"max_ns", &GoDelay::longest},
                                     {"total_ns", &GoDelay::total},
                                     {"histogram", kBucket, buckets_of},
                                 }};

const StudyShape<GoLeft> kLeft{"left",
                               {
                                   {"handler", or_null(&GoLeft::handler)},
                                   {"from", or_null(&GoLeft::from), "the function with the go statement"},
                                   {"function", or_null(&GoLeft::function), "that they run"},
                                   {"count", &GoLeft::count},
                                   {"alive", &GoLeft::alive, "at the end of the recording, or of the process"},
                                   {"late", &GoLeft::late, "ended, but later than left_after_ns"},
                                   {"requests", &GoLeft::requests},
                                   {"longest_ns", &GoLeft::longest},
                                   {"example", &GoLeft::example},
                               }};

const StudyShape<Second> kSecond{
    "second",
    {
        {"from_ns", [](auto& s) { return s.busy.from; }},
        {"goroutines", [](auto& s) { return known_share(s.busy.goroutines); }, "share of GOMAXPROCS that ran one"},
        {"threads", [](auto& s) { return known_share(s.busy.threads); }, "share of the CPUs that it may use"},
        {"busy", [](auto& s) { return std::max(s.busy.goroutines, s.busy.threads) >= s.limit; }},
    }};

const StudyShape<GoMemory::Thrash> kThrash{
    "thrash",
    {
        {"from_ns", &GoMemory::Thrash::from},
        {"to_ns", &GoMemory::Thrash::to},
        {"collections", &GoMemory::Thrash::collections},
        {"per_second", &GoMemory::Thrash::per_second},
        {"per_second_elsewhere", [](auto& t) { return when(t.elsewhere >= 0, t.elsewhere); },
         "while more of the limit was left; null: too short to say"},
        {"resident", &GoMemory::Thrash::resident, "bytes, the most"},
    }};

const StudyShape<GoMemory::Second> kMemorySecond{
    "memory_second",
    {
        {"from_ns", &GoMemory::Second::from},
        {"resident", or_null(&GoMemory::Second::resident), "bytes"},
        {"heap", or_null(&GoMemory::Second::heap), "bytes of objects, also of those not freed yet"},
        {"live", or_null(&GoMemory::Second::live), "bytes that the last collection left"},
        {"collections", &GoMemory::Second::collections, "that began"},
        {"cgroup_used", or_null(&GoMemory::Second::group_used), "bytes, pages of files included"},
    }};

const StudyShape<GoMemory> kMemory{
    "memory",
    {
        {"limit", [](auto& m) { return when(m.limit() > 0, m.limit()); },
         "bytes, the smaller one; null: none is known"},
        {"own_limit", or_null(&GoMemory::own_limit), "GOMEMLIMIT; null: none, or not known"},
        {"gogc", [](auto& m) { return when(m.heap_told, m.percent); }, "below 0: off"},
        {"cgroup_limit", or_null(&GoMemory::group_limit)},
        {"cgroup", or_null(&GoMemory::group), "with that limit"},
        {"thrash", kThrash, &GoMemory::thrash, "the collector ran often with more than 90 % of the limit in use"},
        {"seconds", kMemorySecond, &GoMemory::seconds},
    }};

}  // namespace

const StudyShape<GoStudy>& go_shape() {
  static const StudyShape<GoStudy> shape{
      "go",
      {
          {"pid", [](auto& g) { return formats::number_of(g.pid); }},
          {"machine", [](auto& g) { return formats::machine_of(g.pid) + 1; }},
          {"comm", or_null(&GoStudy::comm)},
          {"version", or_null(&GoStudy::version)},
          {"unsupported", or_null(&GoStudy::unsupported), "which facts are not available, and why"},
          {"goroutines_made", &GoStudy::goroutines_made},
          {"goroutines_ended", &GoStudy::goroutines_ended},
          {"collections", &GoStudy::collections},
          {"assists", &GoStudy::assists},
          {"stops", &GoStudy::stops},
          {"stop_total_ns", [](auto& g) { return when(g.stops > 0, g.stop_total); }},
          {"stop_median_ns", [](auto& g) { return when(g.stops > 0, g.stop_median); }},
          {"stop_p99_ns", [](auto& g) { return when(g.stops >= GoStudy::kStopsForP99, g.stop_p99); }},
          {"stop_longest_ns", [](auto& g) { return when(g.stops > 0, g.stop_longest); }},
          {"requests", &GoStudy::requests},
          {"requests_stopped", &GoStudy::requests_stopped},
          {"preemptions", &GoStudy::preemptions},
          {"preempted_at", kPreempted, &GoStudy::preempted_at, "most first"},
          {"taken_by_route", kShare, &GoStudy::shares},
          {"allocations", kAllocations, [](auto& g) { return where(g.allocations_told, g); }},
          {"delays", kDelay, [](auto& g) { return where(g.states_told, g.delays); }},
          {"delays_left_out", &GoStudy::delays_left_out},
          {"left_behind", kLeft, [](auto& g) { return where(g.ends_told, g.left); },
           "goroutines that requests left behind"},
          {"left_in_doubt", &GoStudy::left_in_doubt},
          {"left_after_ns", [](auto& g) { return g.limits.left_after; }},
          {"memory", kMemory, &GoStudy::memory},
          {"processors", or_null(&GoStudy::processors), "GOMAXPROCS"},
          {"busy_limit", [](auto& g) { return g.limits.busy; }},
          {"busy_seconds", &GoStudy::busy_seconds},
          {"busy", kSecond, seconds_of, "by second"},
      }};
  return shape;
}

}  // namespace tailcap::report::study
