// A request with all that columns can say of it.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "analyze/model/machine/task_facts.h"
#include "analyze/model/request.h"
#include "analyze/model/study/split.h"
#include "analyze/model/trace/span_context.h"
#include "analyze/model/trace/trace_identity.h"
#include "analyze/model/wall_clock.h"

namespace tailcap::model::columns {

// The trace of a request, and where it is from, as spans/ finds them.
struct Traced {
  SpanContext context;
  std::string_view trace_source, span_source;
};

// The route that a request is counted under, as the study of routes names it.
struct CountedUnder {
  std::string_view service, method, route;
};

// What is not given is unknown: a column that needs it has no value (RequestColumn::needs).
struct ColumnFacts {
  // The table and the row, which is whole (whole_row.h), must outlive this.
  ColumnFacts(const RequestTable& of, const Request& whole) : table(of), row(whole) {}
  ColumnFacts(const ColumnFacts&) = delete;
  ColumnFacts& operator=(const ColumnFacts&) = delete;

  const RequestTable& table;
  const Request& row;
  const WallClock* clock = nullptr;
  TextId local = 0, remote = 0;  // endpoints
  const Split* split = nullptr;
  bool live = false;  // the capture is still being written
  const Traced* traced = nullptr;
  Upid upid = 0;
  Utid utid = 0;
  CountedUnder counted;
  std::string_view standing;

  std::string_view text(TextId id) const { return table.texts[id]; }
  // Both ends' endpoints are set before.
  const TraceIdentity& identity() const {
    if (!identity_) identity_ = trace_identity(table, row, local, remote);
    return *identity_;
  }
  // A view of a text that was made up; valid until as many others were as kept_ holds.
  std::string_view keep(std::string made) const {
    std::string& place = kept_[next_++ % kept_.size()];
    place = std::move(made);
    return place;
  }

 private:
  mutable std::optional<TraceIdentity> identity_;
  mutable std::array<std::string, 16> kept_;
  mutable std::size_t next_ = 0;
};

}  // namespace tailcap::model::columns
