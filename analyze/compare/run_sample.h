// What one run says of a route: one number for each metric. The run is the unit that varies, so these are the data of
// every test.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "analyze/model/gate/run.h"

namespace tailcap::compare {

// Linear interpolation between the two values around (n - 1) q ("type 7"). Ascending, not empty.
double quantile_of(std::span<const std::int64_t> sorted, double q);

// A share of the requests: where more broke off, a mean is a lower bound.
inline constexpr double kMostBroken = 0.001;
// A share of the requests: where as many have the same number, others are exceptions.
inline constexpr double kUsual = 0.99;

struct RunValue {
  bool known = false;
  bool at_least = false;  // requests broke off or were cut off, and could have made it larger without a limit
  std::string missing;    // why not
  double level = 0;       // ns, share, number per request
  double value = 0;       // what is compared: the level, or its logarithm
  double floor = 0;       // of the variance between runs: what chance within the run alone makes
  bool constant = false;  // counts: every request has this number
  std::optional<std::int64_t> usual;  // counts: at least kUsual of the requests have this number
  double slack = 0;  // counts: what requests without a known number could add, either way; percentiles:
                     // what requests that broke off could add, as a share of the value
};

// The value is that of the whole run: readings do not begin and end with requests.
RunValue process_value(const model::gate::RouteRun& run, std::size_t count);

using Accounts = std::array<double, model::gate::kAccounts>;  // mean ns per request

// The ns in which a request with a duration did not wait for a CPU; -1: not known.
std::int64_t own_time(const model::gate::RouteRun& run, const model::gate::RunObservation& request);

class RunSample {
 public:
  using Requests = std::span<const model::gate::RunObservation>;

  // The first `limit` requests with a duration, and those between them that failed; 0: all.
  static Requests first(const model::gate::RouteRun& run, std::size_t limit);
  // requests: some of the run, which must outlive this.
  RunSample(const model::gate::RouteRun& run, Requests requests);

  const model::gate::RouteRun& run() const { return run_; }
  Requests requests() const { return requests_; }      // those that failed, too
  std::size_t size() const { return sorted_.size(); }  // requests with a duration
  RunValue value(const model::gate::Metric& metric) const;
  double broken_off() const;  // share of the requests: the others have accounts
  const Accounts& accounts() const { return all_accounts_; }
  const Accounts& slow_accounts() const { return slow_accounts_; }  // of the slowest 1 %; meaningful where slow() > 0
  std::size_t slow() const { return slow_; }                        // requests; 0: fewer than kLeastSlow
  const Accounts& own_accounts() const { return own_accounts_; }  // of as many with the longest own time, of that only

 private:
  static constexpr std::size_t kLeastSlow = 5;
  void read_own_times();
  RunValue share(bool failed) const;
  RunValue percentile(double q) const;
  RunValue own(std::optional<double> q) const;  // unset: the mean
  RunValue mean() const;
  RunValue count(const model::gate::Metric& metric) const;
  std::optional<std::int64_t> usual(const model::gate::Metric& metric) const;

  const model::gate::RouteRun& run_;
  Requests requests_;
  std::vector<std::int64_t> sorted_;
  std::vector<std::int64_t> broken_;  // what requests lasted at least that broke off; ascending
  Accounts all_accounts_{}, slow_accounts_{}, own_accounts_{};
  std::vector<std::int64_t> own_;  // ascending
  std::size_t slow_ = 0;
};

// The runs of a route: the base, the new version.
using SidesOfRoute = std::array<std::vector<RunSample>, 2>;

std::vector<RunValue> run_values(const std::vector<RunSample>& runs, const model::gate::Metric& metric);

std::string requests_text(std::size_t n);  // "1 request", "2 requests"

// How many requests of a run have a duration.
std::size_t timed(const model::gate::RouteRun& run);

}  // namespace tailcap::compare
