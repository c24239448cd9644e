// What one run says of a route: one number for each metric. The run is the unit that varies, so these are the data of
// every test.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "analyze/model/gate/run.h"

namespace tailcap::compare {

// Linear interpolation between the two values around (n - 1) q ("type 7"). Ascending, not empty.
double quantile_of(std::span<const std::int64_t> sorted, double q);

struct RunValue {
  bool known = false;
  std::string missing;    // why not
  double level = 0;       // ns, share, number per request
  double value = 0;       // what is compared: the level, or its logarithm
  double floor = 0;       // of the variance between runs: what chance within the run alone makes
  bool constant = false;  // counts: every request has this number
};

using Accounts = std::array<double, model::gate::kAccounts>;  // mean ns per request

class RunSample {
 public:
  // limit: of the first so many requests with a duration; 0: all. The run must outlive this.
  RunSample(const model::gate::RouteRun& run, std::size_t limit);

  std::size_t size() const { return sorted_.size(); }  // requests with a duration
  std::size_t all() const { return end_; }             // and those that failed
  RunValue value(const model::gate::Metric& metric) const;
  const Accounts& accounts() const { return all_accounts_; }
  const Accounts& slow_accounts() const { return slow_accounts_; }  // of the slowest 1 %; meaningful where slow() > 0
  std::size_t slow() const { return slow_; }                        // requests; 0: fewer than kLeastSlow

 private:
  static constexpr std::size_t kLeastSlow = 5;
  RunValue share(bool failed) const;
  RunValue count(std::size_t which) const;
  RunValue allocations() const;

  const model::gate::RouteRun& run_;
  std::size_t end_ = 0;  // requests of the run that count
  std::vector<std::int64_t> sorted_;
  Accounts all_accounts_{}, slow_accounts_{};
  std::size_t slow_ = 0;
};

// So many requests of a run have a duration.
std::size_t timed(const model::gate::RouteRun& run);

}  // namespace tailcap::compare
