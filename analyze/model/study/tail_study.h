// Why the slowest requests of a route are slow: the labels of which they have more time than typical requests.
//
// Numbers only; analyze/report/tail/ turns them into sentences. All times are nanoseconds per request.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/label.h"
#include "analyze/model/partition.h"
#include "analyze/model/study/verdict.h"
#include "analyze/model/text_pool.h"
#include "analyze/model/wire/exchange.h"

namespace tailcap::model {

// One label in the slow cohort and in the typical one. Over all labels of a route, slow sums to TailStudy::slow_mean,
// typical to typical_mean and difference() to their difference, exactly.
struct LabelDifference {
  Label label = Label::unexplained_nocarrier;
  std::int64_t slow = 0, typical = 0;  // means
  std::int64_t low = 0, high = 0;      // 95 % interval of the difference, within this capture; see TailStudy::intervals
  bool significant = false;            // the interval, corrected for the number of labels, is above 0
  std::uint64_t slow_with = 0;         // slow requests that have more of it than 99 % of the typical ones
  std::uint64_t slow_dominant = 0;     // slow requests in which it makes up most of the excess over a typical one
  std::int64_t slow_inferred = 0, slow_sampled = 0;  // parts of `slow` that were not measured

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

// The requests of a cohort that the report shows, in the order of interest; indexes into the table.
struct Exemplar {
  std::uint32_t row = 0;
  std::uint32_t typical = 0;  // a typical request of the same kind
  enum class Why : std::uint8_t { slowest, representative, second_cause } why = Why::slowest;
};

struct TailStudy {
  Verdict verdict;
  std::string doubt;                    // why it is not certain which requests are the slowest; empty: it is
  std::uint64_t requests = 0;           // compared: with a trustworthy duration and a partition
  double slow_from = 0;                 // the quantile where the slow cohort begins: 0.99, 0.95
  std::uint64_t slow = 0, typical = 0;  // requests in the cohorts; typical: 40th to 60th percentile
  std::uint64_t matched_loosely = 0;    // slow requests compared with typical ones that are not alike in every respect
  std::uint64_t matched_by_route = 0;   // of those matched loosely: alike in the route only
  std::int64_t slow_mean = 0, typical_mean = 0;  // typical_mean has the weights of the slow cohort
  std::int64_t gap_low = 0, gap_high = 0;        // 95 % interval of their difference
  bool intervals = false;                        // there are any;
  std::uint32_t blocks = 0;                      // resampled blocks of time
  std::int64_t ordinary_slow_mean = 0;           // slow_mean expected from the spread of the middle half
  std::vector<LabelDifference> labels;           // largest difference first
  std::vector<LabelBand> bands;
  std::vector<CulpritStudy> culprits;  // per label most time first; a few per label
  std::vector<Exemplar> exemplars;
  std::uint64_t bursts = 0;         // clusters in time of slow requests: the true sample size
  std::uint64_t largest_burst = 0;  // requests in the largest one
  formats::Time largest_burst_at = formats::kNoTime;
  double bursts_if_spread = 0;                      // expected if the slow requests were spread at random
  std::uint64_t slow_lossy = 0, typical_lossy = 0;  // requests with lost events in their partition
  // Honesty: shares of the time of all requests compared, 0 to 1.
  double unexplained = 0, causeless = 0, inferred = 0;

  bool compared() const { return slow > 0; }
  std::int64_t gap() const { return slow_mean - typical_mean; }
};

}  // namespace tailcap::model
