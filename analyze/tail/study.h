// The request table in numbers: routes with quantiles, bands, curves, the slowest requests.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <tuple>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/study/study.h"
#include "analyze/tail/slow/links.h"

namespace tailcap::tail {

// Adds up the requests of quality: requests, complete, incomplete, unknown, tainted.
void count_requests(const model::RequestTable& table, model::Quality& quality);

// Method, route, role, program.
using RouteKey = std::tuple<model::TextId, model::TextId, model::Role, model::TextId>;

// The key of the route that each request is counted under: the only place where it is made. The table must outlive it.
class RouteKeys {
 public:
  explicit RouteKeys(const model::RequestTable& table);
  RouteKey of(std::uint32_t row) const;
  // It is kOtherRoute: one route for all methods and programs, which are 0.
  bool folded(const RouteKey& key) const { return folded(std::get<1>(key)); }

 private:
  bool folded(model::TextId route) const { return other_ != 0 && route == other_; }
  const model::RequestTable& table_;
  const model::TextId other_;
};

// The rows of each route; wanted: of those only.
std::map<RouteKey, std::vector<std::uint32_t>> by_route(const model::RequestTable& table,
                                                        const std::function<bool(std::uint32_t)>& wanted = {});

// Fills routes and slowest from the rows (sorted, with routes). study.begin and study.end are set. threads: share the
// routes, with the same result for any number; 0: as many as there are CPUs.
void study_requests(const model::RequestTable& table, model::Study& study, unsigned threads = 1);

// Counts, the rate and quantiles of the duration only. rows: as for study_route().
model::RouteStudy count_calls(const model::RequestTable& table, const std::vector<std::uint32_t>& rows,
                              const model::Study& study);
// One route; rows: indexes in the order of start. links: where the table has partitions or causes.
model::RouteStudy study_route(const model::RequestTable& table, const std::vector<std::uint32_t>& rows,
                              const model::Study& study, const slow::Links* links = nullptr);

}  // namespace tailcap::tail
