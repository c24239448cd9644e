// Quantiles of a route's durations, with confidence intervals that allow for dependent requests, and the rules by which
// a quantile is flagged or refused.
//
// Requests close in time resemble each other (bursts, a slow neighbour), so n of them say less than n independent ones
// would. The design effect d compares how the share of slow requests varies between blocks of time with how it would if
// they were independent; n / d requests carry the interval (Woodruff). Intervals hold within this capture: another run
// differs by more. Where connections are sampled, the design effect is also that of connections, and the larger one
// counts.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "analyze/model/study/study.h"

namespace tailcap::tail {

// What else is known about the sample.
struct Shortfall {
  std::uint64_t tainted = 0;    // further requests of the route whose duration is unknown or doubtful
  std::uint64_t in_flight = 0;  // further requests that had begun before the recording or not ended with it
  double seconds = 0;           // length of the capture; 0: unknown
};

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
using Ranked = std::function<std::int64_t(std::uint64_t)>;
// The rank of the smallest value with at least a share q of all n at or below it.
std::uint64_t rank_of(double q, std::uint64_t n);
model::Quantile quantile_of(double q, const Weight& weight, const Shortfall& shortfall, const Ranked& at);

// One route's durations (ns), in the order in which the requests began. Sorting and the autocorrelation are done once.
class Sample {
 public:
  // connections: of the requests, in the same order, where connections are sampled; otherwise empty.
  explicit Sample(std::vector<std::int64_t> in_order, std::vector<std::uint32_t> connections = {});
  std::size_t size() const { return in_order_.size(); }
  bool empty() const { return in_order_.empty(); }
  // The smallest value with at least a share q of all at or below it. Not empty.
  std::int64_t at(double q) const;
  // Ascending. Nothing else can be asked afterwards.
  std::vector<std::int64_t> take_sorted() && {
    in_order_ = {};
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
  Effect effect_at(double q, std::int64_t value, double seconds) const;
  void add_connections(double q, std::int64_t value, Effect& effect) const;

  std::vector<std::int64_t> in_order_, sorted_;
  std::vector<std::uint32_t> connections_;
  double correlation_ = 1;
};

// max over block lengths L of L * var(means of blocks of L) / var, at least 1.
double correlation_time(std::span<const double> values);

// The value below which a Beta(a, b) variable lies with probability p.
double beta_quantile(double p, double a, double b);

}  // namespace tailcap::tail
