// Spans as rows, for the view otel_traces.
#pragma once

#include <span>
#include <string_view>

#include "analyze/model/trace/span.h"
#include "analyze/sql/database.h"

namespace tailcap::sql {

class SpanRows {
 public:
  SpanRows(Database& database, std::string_view version) : row_(database, "_span"), version_(version) {}
  void add(std::span<const model::SpanResource> resources);

 private:
  void add(const model::Span& span, std::string_view service, std::string_view resource);
  Inserter row_;
  std::string_view version_;
};

}  // namespace tailcap::sql
