// Requests as OpenMetrics 1.0 text: histograms of durations, outcomes, and where the time went, per route.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "analyze/model/request.h"
#include "analyze/model/trace/span_context.h"
#include "formats/time.h"

namespace tailcap::exports {

struct Measured {
  std::uint32_t row = 0;
  model::SpanContext context;  // of the exemplar that it may be
  std::string_view service;    // as long as the table
};

struct Metrics {
  const model::RequestTable& table;
  std::span<const Measured> requests;
  std::uint64_t lost_events = 0;
  formats::Time end = formats::kNoTime;  // of the recording
  std::function<std::int64_t(formats::Time)> realtime =
      {};  // ns since 1970; empty: not known, then samples have no times
};

// Cardinality: as many services as the requests name; at most as many routes as the table has, times roles, outcomes or
// labels; methods that are not RFC 9110's or PATCH are _OTHER.
std::string openmetrics(const Metrics& metrics);

// The same as Prometheus' protobuf (io.prometheus.client.MetricFamily, each with its length before it), which can hold
// native histograms: those of the durations have both kinds of buckets.
std::string prometheus(const Metrics& metrics);

}  // namespace tailcap::exports
