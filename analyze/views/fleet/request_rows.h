// Requests as rows of the tables of scripts/clickhouse/.
#pragma once

#include <boost/container/small_vector.hpp>
#include <compare>
#include <cstdint>
#include <span>
#include <string_view>
#include <utility>

#include "analyze/export/tab_separated.h"
#include "analyze/model/columns/columns.h"
#include "analyze/pipeline/pipeline.h"
#include "analyze/spans/identities.h"
#include "analyze/tail/study.h"

namespace tailcap::views {

// Which route a request counts for, as the study of routes names it.
struct CountedRoute {
  std::string_view service, method, route;
  model::Role role;
  auto operator<=>(const CountedRoute&) const = default;
};

class CountedRoutes {
 public:
  // analysis must outlive this.
  explicit CountedRoutes(const pipeline::Analysis& analysis) : analysis_(analysis), keys_(analysis.table) {}
  CountedRoute of(std::uint32_t row) const;
  static CountedRoute of(const model::RouteStudy& route) { return {route.comm, route.method, route.route, route.role}; }

 private:
  const pipeline::Analysis& analysis_;
  const tail::RouteKeys keys_;
};

class RequestRows {
 public:
  // Both must outlive this.
  RequestRows(const pipeline::Analysis& analysis, const CountedRoutes& routes);
  // The columns of one request (model/columns). From any thread.
  void put(std::uint32_t row, exports::TabSeparated& out) const;

 private:
  static void put(const model::columns::RequestColumn& column, const model::columns::ColumnValue& value,
                  exports::TabSeparated& out);
  void put_labels(model::ExchangeId id, exports::TabSeparated& out) const;

  const pipeline::Analysis& analysis_;
  const CountedRoutes& routes_;
  const spans::Identities identities_;
};

}  // namespace tailcap::views
