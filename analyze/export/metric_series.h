// Requests added up for Prometheus, per service, role, method and route.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "analyze/export/openmetrics.h"
#include "analyze/model/label.h"

namespace tailcap::exports {

// Upper bounds in ns, and as OpenMetrics writes them: a service's requests lie between 0.1 ms and 10 s.
inline constexpr std::array kBounds = std::to_array<std::pair<std::int64_t, const char*>>({
    {100'000, "0.0001"},
    {250'000, "0.00025"},
    {500'000, "0.0005"},
    {1'000'000, "0.001"},
    {2'500'000, "0.0025"},
    {5'000'000, "0.005"},
    {10'000'000, "0.01"},
    {25'000'000, "0.025"},
    {50'000'000, "0.05"},
    {100'000'000, "0.1"},
    {250'000'000, "0.25"},
    {500'000'000, "0.5"},
    {1'000'000'000, "1.0"},
    {2'500'000'000, "2.5"},
    {5'000'000'000, "5.0"},
    {10'000'000'000, "10.0"},
    {INT64_MAX, "+Inf"},
});

struct SeriesKey {
  std::string_view service, role, method, route;  // as in the capture, but for methods, of which there are few
  auto operator<=>(const SeriesKey&) const = default;
};

struct MetricExemplar {
  std::int64_t duration = -1;
  Measured of;
};

struct MetricSeries {
  std::array<std::uint64_t, kBounds.size()> counts{};      // not summed up
  std::array<MetricExemplar, kBounds.size()> exemplars{};  // the slowest of each
  std::uint64_t count = 0, unknown = 0;
  std::int64_t sum = 0;
  std::map<std::string_view, std::uint64_t> outcomes;
  std::map<model::Label, std::int64_t> labels;
  // A native histogram: by bucket n, which holds durations in (2^((n - 1) / 2^kSchema), 2^(n / 2^kSchema)] seconds.
  std::map<std::int32_t, std::uint64_t> native;
  std::uint64_t zero = 0;  // durations of 0
};

inline constexpr int kSchema = 4;             // a bucket is 4.4 % wide
std::int32_t native_bucket(std::int64_t ns);  // of a duration above 0

// "POST"; "_OTHER": of those that are not RFC 9110's or PATCH. "unknown": of none.
std::string_view exported_method(std::string_view method);

std::map<SeriesKey, MetricSeries> series_of(const Metrics& metrics);

}  // namespace tailcap::exports
