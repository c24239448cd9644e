// Why the slowest requests of a route are slow: what of their time they have more of than typical ones.
//
// Numbers only; analyze/report/tail/ makes sentences of them. All times are nanoseconds of one request.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/flow/exchange.h"
#include "analyze/flow/label.h"
#include "analyze/flow/partition.h"
#include "analyze/flow/text_pool.h"

namespace tailcap::flow {

// One label in the slow cohort against the typical one. Over all labels of a route, slow sums to TailStudy::slow_mean,
// typical to typical_mean and difference() to their difference, exactly.
struct LabelDifference {
  Label label = Label::unexplained_nocarrier;
  std::int64_t slow = 0, typical = 0;  // means
  std::int64_t low = 0, high = 0;      // 95 % interval of the difference, within this capture; see TailStudy::intervals
  bool significant = false;            // the interval, corrected for the number of labels, is above 0
  bool stands_out = false;             // and more than its own ordinary spread explains
  std::uint64_t slow_with = 0;         // slow requests that have more of it than 99 % of the typical ones
  std::uint64_t slow_dominant = 0;     // slow requests in which it makes up most of what they take beyond a typical one
  std::int64_t slow_inferred = 0, slow_sampled = 0;  // of `slow`: not measured

  std::int64_t difference() const { return slow - typical; }
  bool operator==(const LabelDifference&) const = default;
};

// Mean time per label of the requests between two quantiles of the duration.
struct LabelBand {
  double from = 0, to = 0;
  std::uint64_t count = 0;
  std::int64_t mean = 0;
  std::vector<std::pair<Label, std::int64_t>> labels = {};  // by label; sum to mean exactly
};

// Somebody or something behind the time of a label, in the slow requests.
struct CulpritStudy {
  Label label = Label::unexplained_nocarrier;
  std::uint64_t what = 0;  // lock: its address; device; CPU quota: which of Partitions::groups(), from 1; otherwise 0
  CpuGroup group = {};     // that one; path empty: none
  TextId method = 0, route = 0,
         authority = 0;    // of the request behind it: the call made, the holder's, the neighbour's
  std::uint32_t tid = 0;   // holder or waker, where it always is the same thread
  std::uint64_t slow = 0;  // slow requests that it held up
  std::int64_t time = 0;   // over all of those
  Label inside = Label::unexplained_nocarrier;  // a call: what its server was mostly doing meanwhile,
  std::int64_t inside_time = 0;                 // for so long, over all of those; 0: it was not recorded
  ExchangeId example = {};                      // the request behind the longest; connection 0: none known
  ExchangeId held_up = {};                      // the slow request that it held up longest
};

// What the report shows of a cohort, in the order of interest; indexes into the table.
struct Exemplar {
  std::uint32_t row = 0;
  std::uint32_t typical = 0;  // a typical request of the same kind
  enum class Why : std::uint8_t { slowest, representative, second_cause } why = Why::slowest;
};

enum class TailVerdict : std::uint8_t {
  refused,   // the data does not support a comparison: `reason`
  no_tail,   // the slowest are not so slow that it wants explaining: `reason`
  no_cause,  // no cause stands out: `reason`; empty: they came in too few bursts
  cause,     // `causes` are why
};

struct TailStudy {
  TailVerdict verdict = TailVerdict::refused;
  std::string reason;                   // a sentence's part; with verdict cause: a reservation, or empty
  std::uint64_t requests_needed = 0;    // refused because there are fewer; 0: not for that
  std::uint64_t requests = 0;           // compared: with a trustworthy duration and a partition
  double slow_from = 0;                 // the quantile where the slow cohort begins: 0.99, 0.95
  std::uint64_t slow = 0, typical = 0;  // requests in the cohorts; typical: 40th to 60th percentile
  std::uint64_t matched_loosely = 0;    // slow requests compared with typical ones that are not alike in every respect
  std::uint64_t matched_by_route = 0;   // of these: alike in nothing but the route
  std::int64_t slow_mean = 0, typical_mean = 0;  // the latter weighted as the slow cohort is made up
  std::int64_t gap_low = 0, gap_high = 0;        // 95 % interval of their difference
  bool intervals = false;                        // there are any; otherwise `reason` or `bursts` says why not
  std::uint32_t blocks = 0;                      // of time that were resampled
  std::int64_t ordinary_slow_mean = 0;  // what the spread of the middle half leads one to expect of the slow cohort
  std::vector<LabelDifference> labels;  // largest difference first
  std::vector<Label> causes;            // named; largest first. Empty unless verdict is cause
  std::vector<LabelBand> bands;
  std::vector<CulpritStudy> culprits;  // per label most time first; a few per label
  std::vector<Exemplar> exemplars;
  std::uint64_t bursts = 0;         // clusters in time of slow requests: the size of the sample in truth
  std::uint64_t largest_burst = 0;  // requests in the largest one
  formats::Time largest_burst_at = formats::kNoTime;
  double bursts_if_spread = 0;                      // expected if the slow requests were strewn at random
  std::uint64_t slow_lossy = 0, typical_lossy = 0;  // whose partition overlaps lost events
  // Honesty: shares of the time of all requests compared, 0 to 1.
  double unexplained = 0, causeless = 0, inferred = 0;

  bool compared() const { return verdict != TailVerdict::refused; }
  std::int64_t gap() const { return slow_mean - typical_mean; }
};

}  // namespace tailcap::flow
