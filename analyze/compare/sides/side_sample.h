// One side of a route as numbers that can be drawn anew: sums by block of requests that are close in time, and by group
// of connections.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "analyze/model/gate/run.h"
#include "analyze/model/sampling/resampling.h"

namespace tailcap::compare {

// A mean or a percentile with its standard error within the capture: the larger one of both ways to draw.
struct SideValue {
  double value = 0, se = 0;
  bool constant = false;  // every request has this number
  bool known = true;      // of every request
};

class SideSample {
 public:
  // Fewer requests are not compared.
  static constexpr std::size_t kLeast = 30, kLeastOfP99 = 500;

  // run: with kLeast requests that have a duration; must outlive this. callees: those of both sides.
  SideSample(const model::gate::RouteRun& run, double seconds, const std::vector<std::string>& callees);

  std::size_t size() const { return own_.size(); }          // requests with a duration
  std::size_t all() const { return run_.requests.size(); }  // those that failed without one, too
  double freedom() const { return static_cast<double>(groupings_[0].blocks.count) - 1; }
  const model::gate::RouteRun& run() const { return run_; }

  SideValue own_mean() const { return of_timed(kOwn); }  // ns
  SideValue own_p99() const;                             // se: of the logarithm
  SideValue label(std::size_t account) const { return of_timed(kFirstAccount + account); }
  SideValue share(bool failed) const;
  SideValue count(std::size_t which) const;
  SideValue calls_of(std::size_t callee) const;  // by its place in callees
  std::uint64_t calls_in_all(std::size_t callee) const;

 private:
  enum Column : std::size_t { kAll, kTimed, kOwn, kFailed, kClientError, kFirstAccount };
  static constexpr std::size_t kFirstCount = kFirstAccount + model::gate::kAccounts;
  static constexpr std::size_t kFirstCallee = kFirstCount + model::gate::kCounts;

  struct Grouping {
    model::TimeBlocks blocks;
    std::vector<double> sums;  // block after block, its columns
  };
  struct Span {
    double least = 0, most = 0;
  };

  void read(const std::vector<std::string>& callees);
  void add(std::size_t request, std::size_t column, double amount);
  void draw_errors();
  double p99_error(const model::TimeBlocks& blocks) const;
  SideValue of_timed(std::size_t column) const;

  const model::gate::RouteRun& run_;
  std::size_t width_;
  std::array<Grouping, 2> groupings_;  // in time; by connection, without blocks where there are too few
  std::vector<std::pair<std::int64_t, std::uint32_t>> own_;  // ns, ascending; the request
  std::vector<double> totals_, errors_;                      // by column; standard errors of the means
  std::array<bool, model::gate::kCounts> unknown_{};         // of some request
  std::vector<Span> spans_;                                  // of counts and callees: in requests with a duration
  std::uint64_t seed_ = 0;
};

}  // namespace tailcap::compare
