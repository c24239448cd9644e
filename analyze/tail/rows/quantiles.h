// Quantiles of a route's durations, with confidence intervals that allow for dependent requests, and the rules by which
// a quantile is flagged or refused.
//
// Requests close in time resemble each other (bursts, a slow neighbour), so n of them say less than n independent ones
// would. The design effect d compares how the share of slow requests varies between blocks of time with how it would if
// they were independent; n / d requests carry the interval (Woodruff). Intervals hold within this capture: another run
// differs by more. Where connections are sampled, the design effect is also that of connections, and the larger one
// counts.
//
// A request that broke off has its place at what it lasted at least. The percentile is at least the value at its rank
// there, and at most the value at its rank where all such requests are slower than any other. Where the two lie
// further apart than the interval is wide, or the second is not known, the percentile is a lower bound. A request that
// the recording cut off is counted alike where it had lasted longer than the percentile; otherwise it is left out.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "analyze/model/study/study.h"
#include "analyze/tail/rows/durations.h"
#include "ground/memory.h"

namespace tailcap::tail {

// What the interval of a quantile, and whether it is refused, rest on.
struct Weight {
  std::uint64_t n = 0;           // durations
  double effective = 0;          // n over the design effect at this quantile
  double independent = 0;        // n over the autocorrelation time
  std::size_t blocks = 0;        // of requests close in time; 0: not known
  std::size_t bursts = 0;        // of those: with a request at or beyond the quantile
  bool few_connections = false;  // of a sample of them: too few for an interval
};
// The n-th smallest duration (ns), from 1.
using RankedDuration = std::function<std::int64_t(std::uint64_t)>;
// The rank of the smallest value with at least a share q of all n at or below it.
std::uint64_t rank_of(double q, std::uint64_t n);
inline constexpr std::int64_t kEndless = INT64_MAX;  // how long it is at most is not known
// at: what the n-th smallest is at least; most: at most. Empty: the same.
model::Quantile quantile_of(double q, const Weight& weight, const Shortfall& shortfall, const RankedDuration& at,
                            const RankedDuration& most = {});

// What the value of a capture can be, whatever happened to those of its requests whose end is not known.
struct ObservedBounds {
  std::int64_t value = 0, least = 0, most = 0;  // ns; most: kEndless where it has no limit
  std::uint64_t requests = 0;                   // of which
};

// One route's durations (ns), in the order in which the requests began. Sorting and the autocorrelation are done once.
class Sample {
 public:
  // connections: of the requests, in the same order, where connections are sampled; otherwise empty.
  // without_end: what it is known of in_order, and of requests beside it.
  explicit Sample(std::vector<std::int64_t> in_order, std::vector<std::uint32_t> connections = {},
                  WithoutEnd without_end = {});
  std::size_t size() const { return in_order_.size(); }
  bool empty() const { return in_order_.empty(); }
  // The smallest value with at least a share q of all at or below it. Not empty.
  std::int64_t at(double q) const;
  // Each request of the shortfall that is not in flight can be faster or slower than any. Not empty.
  ObservedBounds bounds(double q, const Shortfall& shortfall) const;
  // Ascending. Nothing else can be asked afterwards.
  std::vector<std::int64_t> take_sorted() && {
    ground::release(in_order_);
    return std::move(sorted_);
  }
  // Autocorrelation time in requests, at least 1: how far apart two requests must be to count as independent.
  double correlation() const { return correlation_; }
  model::Quantile quantile(double q, const Shortfall& shortfall) const;

 private:
  struct Effect {
    double design = 1;       // n / effective n
    std::size_t bursts = 0;  // blocks with a request beyond the quantile
    std::size_t blocks = 0;
    bool few_connections = false;
  };
  // The sample with those requests of WithoutEnd::cut_off that had lasted longer than the percentile.
  struct Extended {
    std::vector<std::int64_t> own;  // ascending; empty: none had
    std::uint64_t cut_off = 0;
  };
  Extended extended(double q) const;
  Effect effect_at(double q, std::int64_t value, double seconds) const;
  void add_connections(double q, std::int64_t value, Effect& effect) const;

  std::vector<std::int64_t> in_order_, sorted_;
  std::vector<std::int64_t> ended_;    // sorted_ without what broke off; empty where nothing did
  std::vector<std::int64_t> cut_off_;  // ascending
  bool broken_ = false;
  std::vector<std::uint32_t> connections_;
  double correlation_ = 1;
};

// max over block lengths L of L * var(means of blocks of L) / var, at least 1.
double correlation_time(std::vector<double> values);

// The value below which a Beta(a, b) variable lies with probability p.
double beta_quantile(double p, double a, double b);

}  // namespace tailcap::tail
